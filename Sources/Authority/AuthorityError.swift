/// Why DNS and DHCP could not be taken or kept.
package struct AuthorityError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Sendable {
        /// The site file, or the machine's network, does not allow it.
        case notReady
        /// A program is missing, refused its configuration, or ended.
        case program
        /// A file could not be written.
        case file
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    package static func == (lhs: AuthorityError, rhs: AuthorityError) -> Bool { lhs.code == rhs.code }
}
