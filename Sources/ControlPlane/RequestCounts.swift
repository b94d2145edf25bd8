internal import Synchronization

/// How many requests ended with which status, on all listeners of the control plane.
final class RequestCounts: Sendable {
    private let counts = Mutex<[Int: Int64]>([:])

    func note(_ status: Int) { counts.withLock { $0[status, default: 0] += 1 } }

    /// In the order of the statuses.
    var list: [(status: Int, count: Int64)] {
        counts.withLock { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }
}
