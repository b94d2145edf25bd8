/// Why something that firmware or a loader verifies could not be made.
package struct BootSigningError: Error, Hashable, Sendable, CustomStringConvertible {
    /// For operators: names the tool and the package that has it.
    package let message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}
