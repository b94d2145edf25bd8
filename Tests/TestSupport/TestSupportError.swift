/// What went wrong in the test bench itself, not in the product under test.
///
/// Two errors are equal when their codes are equal, so a test can compare without knowing the message.
package struct TestSupportError: Error, Equatable, Sendable {
    /// The kind of failure.
    package enum Code: String, Sendable {
        /// A tool, a file or a privilege is absent; the message says which and how to get it.
        case missingRequirement
        /// A command ran to its end with another status than 0.
        case commandFailed
        /// Something did not happen, or did not end, within its time limit.
        case timedOut
        /// A long-running program ended while something was still expected of it.
        case programExited
        /// The body of a scope succeeded, but something it made could not be removed.
        case cleanupFailed
    }

    /// The kind of failure.
    package let code: Code
    /// One or more lines for the reader of a test report, with the evidence (status, output, end of the log).
    package let message: String

    /// Makes an error from its kind and its evidence.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Compares the codes only.
    package static func == (left: Self, right: Self) -> Bool {
        left.code == right.code
    }
}

extension TestSupportError: CustomStringConvertible {
    package var description: String { "\(code.rawValue): \(message)" }
}
