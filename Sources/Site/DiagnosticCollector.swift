/// Gathers findings while a file is read, so that one run reports them all.
final class DiagnosticCollector {
    private(set) var findings: [SiteDiagnostic] = []
    private var positions: [String: SitePosition] = [:]

    func report(_ severity: SiteDiagnostic.Severity, _ code: String, at position: SitePosition, _ message: String) {
        findings.append(SiteDiagnostic(severity, code, position, message))
    }

    /// Reports at the place that was remembered for `path`, or at its nearest parent's.
    func report(_ severity: SiteDiagnostic.Severity = .error, _ code: String, path: String, _ message: String) {
        report(severity, code, at: position(of: path), message)
    }

    /// Remembers where a value stands, for rules that compare values from different places.
    func remember(_ path: String, at position: SitePosition) { positions[path] = position }

    /// Whether a value stands in the file under this path, readable or not.
    func stands(_ path: String) -> Bool { positions[path] != nil }

    private func position(of path: String) -> SitePosition {
        var path = path
        while true {
            if let position = positions[path] { return position }
            guard let dot = path.lastIndex(of: ".") else { return SitePosition(line: 1, column: 1) }
            path = String(path[..<dot])
        }
    }

    var hasErrors: Bool { findings.contains { $0.severity == .error } }

    /// In the order of the file.
    var sorted: [SiteDiagnostic] { findings.sorted { ($0.position, $0.code) < ($1.position, $1.code) } }
}
