internal import Artifacts
package import ConfigurationFile

/// What reading a site file gave: the site when there was no error, and every finding.
package struct SiteReading: Sendable {
    /// nil when any finding is an error.
    package let site: Site?
    /// In the order of the file.
    package let diagnostics: [FileDiagnostic]

    package init(site: Site?, diagnostics: [FileDiagnostic]) {
        self.site = site
        self.diagnostics = diagnostics
    }
}

extension Site {
    /// Larger files are refused: 10,000 hosts take about 2 MB.
    package static let maximumFileSize = 16 << 20

    /// Reads and checks a site file. Never throws: everything that is wrong is a finding with its line and column.
    package static func parse(_ bytes: [UInt8]) -> SiteReading {
        let diagnostics = DiagnosticCollector()
        guard
            let root = YAMLDocument.root(
                of: bytes, maximumSize: maximumFileSize, needs: "'schema: \(schema)' and 'root_domain'", diagnostics),
            let site = SiteReader(root: root, revision: SHA256.digest(of: bytes)).read()
        else { return SiteReading(site: nil, diagnostics: diagnostics.sorted) }
        SiteRules(site: site, diagnostics: diagnostics).check()
        return SiteReading(site: diagnostics.hasErrors ? nil : site, diagnostics: diagnostics.sorted)
    }
}
