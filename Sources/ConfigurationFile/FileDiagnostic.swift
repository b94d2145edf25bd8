/// A place in a configuration file; both numbers start at 1.
package struct FilePosition: Hashable, Sendable, Comparable {
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (lhs: FilePosition, rhs: FilePosition) -> Bool {
        (lhs.line, lhs.column) < (rhs.line, rhs.column)
    }
}

/// One finding about a configuration file: where, what rule, how to mend it.
package struct FileDiagnostic: Hashable, Sendable {
    package enum Severity: String, Sendable {
        /// The file cannot be used.
        case error
        /// The file can be used; something in it is likely not meant.
        case warning
        /// Worth knowing.
        case info
    }

    package let severity: Severity
    /// Stable name of the rule, `V01` and so on: docs/site-file.md and docs/appliance.md list them.
    package let code: String
    package let position: FilePosition
    package let message: String

    package init(_ severity: Severity, _ code: String, _ position: FilePosition, _ message: String) {
        self.severity = severity
        self.code = code
        self.position = position
        self.message = message
    }

    /// `FILE:LINE:COLUMN: error: MESSAGE [V01]`, the form that editors jump to.
    package func rendered(file: String) -> String {
        "\(file):\(position.line):\(position.column): \(severity.rawValue): \(message) [\(code)]"
    }
}
