internal import Boot
internal import Synchronization

/// One per-boot token for all that a loader asks for in several requests: a configuration and the signature over it, the size
/// of an image and then the image.
final class SteadyTokens: Sendable {
    /// Seconds that a token is given out again: of the day that it is good for, most is left then.
    private static let lifetime: Int64 = 3600

    private struct Entry {
        let plan: BootPlan
        let token: String
        let issued: Int64
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let clock: @Sendable () -> Int64
    private let isGood: @Sendable (_ token: String) -> Bool
    private let issue: @Sendable (_ host: String) -> String?

    /// - Parameters:
    ///   - clock: seconds that nothing sets back.
    ///   - isGood: whether a token still is its host's.
    ///   - issue: a new token; nil when there is none to be had.
    init(
        clock: @escaping @Sendable () -> Int64, isGood: @escaping @Sendable (String) -> Bool,
        issue: @escaping @Sendable (String) -> String?
    ) {
        self.clock = clock
        self.isGood = isGood
        self.issue = issue
    }

    /// The same as before while the plan is the same and the token good; nil when none can be issued.
    func token(host: String, plan: BootPlan) -> String? {
        let now = clock()
        return entries.withLock { entries in
            if let entry = entries[host], entry.plan == plan, now - entry.issued < Self.lifetime, isGood(entry.token) {
                return entry.token
            }
            guard let token = issue(host) else { return nil }
            entries[host] = Entry(plan: plan, token: token, issued: now)
            return token
        }
    }
}
