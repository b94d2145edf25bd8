/// Requests that came faster than they can be answered, which takes a file and a socket each. A flood from forged addresses asks
/// for more than any server opens, and a machine that is left out asks again after seconds only: those who have answered before come
/// first, then those that are expected, then strangers.
struct RequestBacklog<Request> {
    enum Rank: Int, CaseIterable {
        case answered, expected, stranger
    }

    /// Requests that are kept of each rank. Of more the oldest are forgotten: who sent them asks again.
    static var limit: Int { 4096 }
    /// Hosts that are known to answer, more than a site has: twice as many at most.
    static var hostLimit: Int { 10_000 }

    private struct Queue {
        var requests: [Request] = []
        var first = 0

        /// Returns whether there is one more than before: else the oldest is forgotten.
        mutating func append(_ request: Request) -> Bool {
            requests.append(request)
            let isFull = requests.count - first > RequestBacklog.limit
            if isFull { first += 1 }
            // Not each time: all that are kept move.
            if first >= RequestBacklog.limit {
                requests.removeFirst(first)
                first = 0
            }
            return !isFull
        }

        mutating func popFirst() -> Request? {
            guard !isEmpty else { return nil }
            first += 1
            let request = requests[first - 1]
            if isEmpty { self = Queue() }
            return request
        }

        var isEmpty: Bool { first == requests.count }
    }

    private var queues: [Queue] = Rank.allCases.map { _ in Queue() }
    /// Those in all queues.
    private var count = 0
    /// Those that answered since `olderHosts` was begun, and those before them.
    private var hosts: Set<DatagramEndpoint> = []
    private var olderHosts: Set<DatagramEndpoint> = []

    /// Nothing waits.
    var isEmpty: Bool { count == 0 }

    /// Notes that a packet came from a client that only who has its address can have sent.
    mutating func hasAnswered(_ client: DatagramEndpoint) {
        let host = client.with(port: 0)
        if hosts.count >= Self.hostLimit { (hosts, olderHosts) = ([], hosts) }
        hosts.insert(host)
    }

    /// Keeps a request of a client; `isExpected` is asked where it has not answered yet.
    mutating func append(_ request: Request, of client: DatagramEndpoint, isExpected: (DatagramEndpoint) -> Bool) {
        let host = client.with(port: 0)
        let rank: Rank =
            hosts.contains(host) || olderHosts.contains(host)
            ? .answered : isExpected(client) ? .expected : .stranger
        if queues[rank.rawValue].append(request) { count += 1 }
    }

    /// The next to be answered, of the first rank that has one: in a rank the one that came first.
    mutating func popFirst() -> (request: Request, rank: Rank)? {
        for rank in Rank.allCases {
            guard let request = queues[rank.rawValue].popFirst() else { continue }
            count -= 1
            return (request, rank)
        }
        return nil
    }
}
