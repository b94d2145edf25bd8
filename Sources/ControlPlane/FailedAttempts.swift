internal import HTTPTypes
internal import Synchronization

/// Slows down who guesses: an address that failed too often is answered 429 for a while, without a look at what it sent.
/// Memory is bounded: with too many addresses at once, the oldest failures are forgotten first.
final class FailedAttempts: Sendable {
    /// Failures of one address within ``window`` before it has to wait.
    static let limit = 10
    /// Seconds.
    static let window: Int64 = 60
    private static let maximumAddresses = 4096

    private struct Entry {
        var count: Int
        var since: Int64
    }

    private let clock: @Sendable () -> Int64
    private let entries = Mutex<[String: Entry]>([:])

    /// - Parameter clock: seconds that never go back.
    init(clock: @escaping @Sendable () -> Int64) { self.clock = clock }

    /// - Throws: `ControlError` 429 with the seconds to wait.
    func require(_ address: String) throws {
        let now = clock()
        let wait = entries.withLock { entries -> Int64? in
            guard let entry = entries[address] else { return nil }
            let left = entry.since + Self.window - now
            guard left > 0 else {
                entries[address] = nil
                return nil
            }
            return entry.count >= Self.limit ? left : nil
        }
        guard let wait else { return }
        throw ControlError(
            .tooManyRequests, "TOOMANYREQUESTS", "too many failed logins from \(address): try again in \(wait) s",
            retryAfter: wait)
    }

    func note(_ address: String) {
        let now = clock()
        entries.withLock { entries in
            if entries[address] == nil, entries.count >= Self.maximumAddresses {
                entries = entries.filter { $0.value.since + Self.window > now }
                if entries.count >= Self.maximumAddresses,
                    let oldest = entries.min(by: { $0.value.since < $1.value.since })
                {
                    entries[oldest.key] = nil
                }
            }
            entries[address, default: Entry(count: 0, since: now)].count += 1
        }
    }
}
