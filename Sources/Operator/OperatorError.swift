/// Why a command of artifactctl could not be done. The message says what to do about it.
package struct OperatorError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Sendable {
        /// A local file cannot be read or written, or is not as it was.
        case file
        /// No server answers at the address.
        case unreachable
        /// The server refused; its own words are in the message.
        case refused
        /// The server's answer is not one of this protocol.
        case protocolFailure
        /// Bytes are not the ones that were announced.
        case digestMismatch
    }

    package let code: Code
    package let message: String
    /// The HTTP status of a refusal.
    package let status: Int?

    package init(_ code: Code, _ message: String, status: Int? = nil) {
        self.code = code
        self.message = message
        self.status = status
    }

    package var description: String { message }

    package static func == (lhs: OperatorError, rhs: OperatorError) -> Bool { lhs.code == rhs.code }
}
