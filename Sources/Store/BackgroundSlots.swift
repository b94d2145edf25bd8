internal import Synchronization

/// How many jobs run beside those who wait for them. Whoever gets no slot does the work itself: threads are few, and if all
/// of them waited for jobs that have none, nobody would ever go on.
final class BackgroundSlots: Sendable {
    private let left: Mutex<Int>

    init(_ count: Int) { left = Mutex(count) }

    /// Whether there was a slot; who gets one gives it back.
    func take() -> Bool {
        left.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
    }

    func giveBack() { left.withLock { $0 += 1 } }
}
