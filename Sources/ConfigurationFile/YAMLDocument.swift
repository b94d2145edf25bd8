internal import Yams

/// A configuration file as YAML text.
package enum YAMLDocument {
    /// The file's outermost mapping; nil, with findings, when it is too large, no UTF-8, no YAML, or empty. `needs` tells
    /// the author of an empty file what to begin with.
    package static func root(
        of bytes: [UInt8], maximumSize: Int, needs: String, _ diagnostics: DiagnosticCollector
    ) -> YAMLSection? {
        let start = FilePosition(line: 1, column: 1)
        guard bytes.count <= maximumSize else {
            let limit = maximumSize >= 1 << 20 ? "\(maximumSize >> 20) MiB" : "\(maximumSize >> 10) KiB"
            diagnostics.report(.error, "V01", at: start, "the file is larger than \(limit)")
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            diagnostics.report(.error, "V01", at: start, "the file is not UTF-8 text")
            return nil
        }
        return compose(text, needs, diagnostics).flatMap { YAMLSection($0, path: "", diagnostics: diagnostics) }
    }

    private static func compose(_ text: String, _ needs: String, _ diagnostics: DiagnosticCollector) -> Node? {
        let start = FilePosition(line: 1, column: 1)
        do {
            // Yams tells libyaml the encoding, which then takes a byte order mark for text (YAML 1.2.2 section 5.2).
            let body = text.unicodeScalars.first == "\u{feff}" ? String(text.unicodeScalars.dropFirst()) : text
            if let node = try Yams.compose(yaml: body), !node.isNull { return node }
            diagnostics.report(
                .error, "V01", at: start, "the file is empty: it needs \(needs)")
        } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                diagnostics.report(
                    .error, "V01", at: FilePosition(line: mark.line, column: mark.column),
                    "this is not YAML: \(problem)")
            case .reader(let problem, let offset, _, let yaml):
                let before = yaml.prefix(offset ?? 0)
                let column = before.reversed().prefix { !$0.isNewline }.count + 1
                diagnostics.report(
                    .error, "V01", at: FilePosition(line: before.count(where: \.isNewline) + 1, column: column),
                    "this is not YAML: \(problem)")
            case .duplicatedKeysInMapping(let keys, let context):
                diagnostics.report(
                    .error, "V01", at: FilePosition(line: context.mark.line, column: context.mark.column),
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
