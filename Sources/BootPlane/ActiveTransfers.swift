internal import Synchronization

/// How many files are being sent over HTTP, so that an orderly end can wait for them.
package final class ActiveTransfers: Sendable {
    private let running = Atomic<Int>(0)

    package init() {}

    package var count: Int { running.load(ordering: .relaxed) }

    func begin() { running.add(1, ordering: .relaxed) }
    func end() { running.subtract(1, ordering: .relaxed) }
}
