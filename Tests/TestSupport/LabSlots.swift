import Foundation

/// How many labs may be open at once: a few for each processor.
///
/// A suite starts all its tests together, and a hundred servers on two processors make every command a matter of
/// minutes: then time limits that shall end what hangs end what works. Whoever finds no slot waits, first come first
/// served.
actor LabSlots {
    /// Those of this process.
    static let ofThisProcess = LabSlots(count: 4 * ProcessInfo.processInfo.activeProcessorCount)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// - Parameter count: at most so many at once, at least one.
    init(count: Int) {
        free = max(1, count)
    }

    /// Waits for a slot. Whoever got one calls ``leave()`` once.
    func enter() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    /// Gives the slot to who has waited longest.
    func leave() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
