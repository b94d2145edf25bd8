internal import Artifacts
internal import Yams

/// What reading a site file gave: the site when there was no error, and every finding.
package struct SiteReading: Sendable {
    /// nil when any finding is an error.
    package let site: Site?
    /// In the order of the file.
    package let diagnostics: [SiteDiagnostic]

    package init(site: Site?, diagnostics: [SiteDiagnostic]) {
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
        let start = SitePosition(line: 1, column: 1)
        guard bytes.count <= maximumFileSize else {
            diagnostics.report(.error, "V01", at: start, "the file is larger than \(maximumFileSize >> 20) MiB")
            return SiteReading(site: nil, diagnostics: diagnostics.sorted)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            diagnostics.report(.error, "V01", at: start, "the file is not UTF-8 text")
            return SiteReading(site: nil, diagnostics: diagnostics.sorted)
        }
        guard let node = compose(text, diagnostics),
            let root = YAMLSection(node, path: "", diagnostics: diagnostics),
            let site = SiteReader(root: root, revision: SHA256.digest(of: bytes)).read()
        else { return SiteReading(site: nil, diagnostics: diagnostics.sorted) }
        SiteRules(site: site, diagnostics: diagnostics).check()
        return SiteReading(site: diagnostics.hasErrors ? nil : site, diagnostics: diagnostics.sorted)
    }

    private static func compose(_ text: String, _ diagnostics: DiagnosticCollector) -> Node? {
        let start = SitePosition(line: 1, column: 1)
        do {
            // Yams tells libyaml the encoding, which then takes a byte order mark for text (YAML 1.2.2 section 5.2).
            let body = text.unicodeScalars.first == "\u{feff}" ? String(text.unicodeScalars.dropFirst()) : text
            if let node = try Yams.compose(yaml: body), !node.isNull { return node }
            diagnostics.report(
                .error, "V01", at: start, "the file is empty: it needs 'schema: \(schema)' and 'root_domain'")
        } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                diagnostics.report(
                    .error, "V01", at: SitePosition(line: mark.line, column: mark.column),
                    "this is not YAML: \(problem)")
            case .reader(let problem, let offset, _, let yaml):
                let before = yaml.prefix(offset ?? 0)
                let column = before.reversed().prefix { !$0.isNewline }.count + 1
                diagnostics.report(
                    .error, "V01", at: SitePosition(line: before.count(where: \.isNewline) + 1, column: column),
                    "this is not YAML: \(problem)")
            case .duplicatedKeysInMapping(let keys, let context):
                diagnostics.report(
                    .error, "V01", at: SitePosition(line: context.mark.line, column: context.mark.column),
                    "duplicate key '\(keys.joined(separator: "', '"))': keep one of them")
            default:
                diagnostics.report(.error, "V01", at: start, "this is not YAML: \(error)")
            }
        } catch {
            diagnostics.report(.error, "V01", at: start, "this is not YAML: \(error)")
        }
        return nil
    }
}
