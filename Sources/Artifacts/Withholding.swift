/// Why machines are not given a version that is published.
package struct Withholding: Hashable, Sendable {
    package enum Standing: Hashable, Sendable {
        /// It is being verified, or waits for a signature: asking again may go better.
        case waiting
        /// Rules and keys as they stand say no.
        case refused
    }

    package let standing: Standing
    /// One line for whoever reads a machine's screen.
    package let reason: String

    package init(_ standing: Standing, _ reason: String) {
        self.standing = standing
        self.reason = reason
    }
}
