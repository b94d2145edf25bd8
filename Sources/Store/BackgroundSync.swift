internal import Dispatch
internal import Synchronization

/// A sync of a file's bytes beside further writing to it: neither the disk nor whoever sends waits for the other.
/// One at a time.
final class BackgroundSync: Sendable {
    private struct State {
        var isRunning = false
        var outcome: (offset: Int64, failure: FileFailure?)?
    }

    private let state = Mutex(State())
    private let group = DispatchGroup()
    private let queue: DispatchQueue
    private let slots: BackgroundSlots

    init(slots: BackgroundSlots, label: String) {
        self.slots = slots
        queue = DispatchQueue(label: label)
    }

    /// Whether one was started whose outcome nobody has taken.
    var isBusy: Bool { state.withLock { $0.isRunning || $0.outcome != nil } }

    /// Makes durable what has been written up to `offset`; does nothing when enough syncs of others run. The descriptor must
    /// stay open until the outcome was taken.
    func start(_ descriptor: Int32, path: String, upTo offset: Int64, _ files: any FileOperations) {
        guard slots.take() else { return }
        state.withLock { $0.isRunning = true }
        group.enter()
        queue.async { [self] in
            var failure: FileFailure?
            do throws(FileFailure) { try files.synchronize(descriptor, path: path) } catch { failure = error }
            state.withLock {
                $0.isRunning = false
                $0.outcome = (offset, failure)
            }
            slots.giveBack()
            group.leave()
        }
    }

    /// The outcome of a sync that has ended, once.
    func takeOutcome() -> (offset: Int64, failure: FileFailure?)? {
        state.withLock { state in
            defer { state.outcome = nil }
            return state.outcome
        }
    }

    /// Waits until none runs.
    func wait() { group.wait() }
}
