internal import Glibc
internal import NIOCore
internal import Synchronization

/// Bounds the connections of one client and of all: a machine that opens connections and says nothing must not take the
/// descriptors that others need.
final class ConnectionLimiter: Sendable {
    /// Of HTTP: a loader opens one or two; a download tool, or a rack behind address translation, some dozens.
    static let perHTTPClient = 256
    /// Of syslog: one for each that writes, and some that were not closed when the machine was switched off.
    static let perSyslogClient = 16

    /// One connection's place, until it is let go.
    final class Place: Sendable {
        let client: ClientAddress
        private let limiter: ConnectionLimiter

        fileprivate init(_ client: ClientAddress, in limiter: ConnectionLimiter) {
            self.client = client
            self.limiter = limiter
        }

        deinit { limiter.free(client) }
    }

    private struct Counts {
        var total = 0
        var byClient: [ClientAddress: Int] = [:]
    }

    private let counts = Mutex(Counts())
    private let perClient: Int
    private let limit: Int

    /// In all a share of the descriptors that the program may have: by two, for a transfer holds a second one.
    init(perClient: Int, share: Int = 2) {
        self.perClient = perClient
        var descriptors = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &descriptors)
        limit = Int(min(descriptors.rlim_cur, 1 << 20)) / share
    }

    /// nil when the connection is one too many; else it counts while its place is held.
    func admit(_ client: ClientAddress) -> Place? {
        let isAdmitted = counts.withLock { counts in
            guard counts.total < limit, counts.byClient[client, default: 0] < perClient else { return false }
            counts.total += 1
            counts.byClient[client, default: 0] += 1
            return true
        }
        return isAdmitted ? Place(client, in: self) : nil
    }

    /// False when the connection is one too many; else it counts until it is closed.
    func admit(_ channel: any Channel) -> Bool {
        guard let place = admit(ClientAddress(channel.remoteAddress)) else { return false }
        channel.holds(place)
        return true
    }

    private func free(_ client: ClientAddress) {
        counts.withLock { counts in
            counts.total -= 1
            let left = counts.byClient[client, default: 1] - 1
            counts.byClient[client] = left == 0 ? nil : left
        }
    }
}

extension Channel {
    /// Keeps a place until this is closed.
    func holds(_ place: ConnectionLimiter.Place) {
        closeFuture.whenComplete { _ in withExtendedLifetime(place) {} }
    }
}
