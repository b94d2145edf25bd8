/// Why an archive is not shown as a folder. The message is for the operator who pushed it.
package struct ArchiveError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Sendable {
        /// It ends too early, contradicts itself, or is not what its name says.
        case damaged
        /// It uses something that cannot be shown: say what, and what helps.
        case unsupported
        /// It asks for more than is given to any archive, or leads out of itself.
        case hostile
        /// The archive cannot be read, or the reader cannot be run.
        case failure
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    /// Two errors are equal when their codes are.
    package static func == (lhs: ArchiveError, rhs: ArchiveError) -> Bool { lhs.code == rhs.code }
}
