/// Gathers findings while a file is read, so that one run reports them all.
package final class DiagnosticCollector {
    package private(set) var findings: [FileDiagnostic] = []
    private var positions: [String: FilePosition] = [:]

    package init() {}

    package func report(
        _ severity: FileDiagnostic.Severity, _ code: String, at position: FilePosition, _ message: String
    ) {
        findings.append(FileDiagnostic(severity, code, position, message))
    }

    /// Reports at the place that was remembered for `path`, or at its nearest parent's.
    package func report(_ severity: FileDiagnostic.Severity = .error, _ code: String, path: String, _ message: String) {
        report(severity, code, at: position(of: path), message)
    }

    /// Remembers where a value stands, for rules that compare values from different places.
    package func remember(_ path: String, at position: FilePosition) { positions[path] = position }

    /// Whether a value stands in the file under this path, readable or not.
    package func stands(_ path: String) -> Bool { positions[path] != nil }

    private func position(of path: String) -> FilePosition {
        var path = path
        while true {
            if let position = positions[path] { return position }
            guard let dot = path.lastIndex(of: ".") else { return FilePosition(line: 1, column: 1) }
            path = String(path[..<dot])
        }
    }

    /// Whether any finding is an error.
    package var hasErrors: Bool { findings.contains { $0.severity == .error } }

    /// In the order of the file.
    package var sorted: [FileDiagnostic] { findings.sorted { ($0.position, $0.code) < ($1.position, $1.code) } }
}
