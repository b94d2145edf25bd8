/// Why something about a host was refused or failed.
package struct HostsError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Sendable {
        /// The per-boot token is forged, expired, or older than the last arming.
        case invalidToken
        case unknownHost
        /// The database failed.
        case failure
    }

    package let code: Code
    package let message: String
    package let cause: String?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause.map { "\($0)" }
    }

    package var description: String { cause.map { "\(message) (\($0))" } ?? message }

    package static func == (lhs: HostsError, rhs: HostsError) -> Bool { lhs.code == rhs.code }
}
