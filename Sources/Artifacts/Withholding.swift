/// Why machines are not given a version that is published. It may end: when a signature comes, or rules change.
package struct Withholding: Hashable, Sendable {
    /// One line for whoever reads a machine's screen.
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}
