internal import Yams

extension Node {
    var position: FilePosition { FilePosition(line: mark?.line ?? 1, column: mark?.column ?? 1) }

    /// `null`, `~` or nothing at all.
    var isNull: Bool {
        guard case .scalar(let scalar) = self, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}

/// One mapping of a configuration file, read key by key. What was not read by `finish` is reported as unknown, so a key is
/// either understood or refused by name.
package final class YAMLSection {
    /// Dotted path of the mapping, for messages and for remembering positions: `hosts.hv01.interfaces`.
    package let path: String
    package let position: FilePosition
    package let diagnostics: DiagnosticCollector
    private let entries: [(key: String, node: Node, position: FilePosition)]
    /// Where a key is among them: a site has thousands of hosts.
    private let places: [String: Int]
    private var known: Set<String> = []
    private var refused: Set<String> = []

    /// nil, with a finding, when the node is no mapping of plain keys.
    init?(_ node: Node, path: String, diagnostics: DiagnosticCollector) {
        self.path = path
        self.diagnostics = diagnostics
        position = node.position
        guard case .mapping(let mapping) = node else {
            diagnostics.report(
                .error, "V01", at: node.position,
                "\(path.isEmpty ? "the file" : "'\(path)'") must be a mapping of keys to values")
            return nil
        }
        var entries: [(key: String, node: Node, position: FilePosition)] = []
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                diagnostics.report(.error, "V01", at: key.position, "keys must be plain words")
                continue
            }
            entries.append((scalar.string, value, key.position))
        }
        self.entries = entries
        places = Dictionary(entries.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
        for entry in entries { diagnostics.remember(child(entry.key), at: entry.position) }
    }

    /// The dotted path of a key in this mapping.
    package func child(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// Every key in the file's order with its place, for mappings whose keys are names. Marks all as read.
    package var keys: [(key: String, position: FilePosition)] {
        known.formUnion(entries.map(\.key))
        return entries.map { ($0.key, $0.position) }
    }

    /// The mapping under a key that is a name; nil, with a finding, when it is no mapping. An absent value counts as
    /// none: a name must say something.
    package func named(_ key: String) -> YAMLSection? {
        guard let place = places[key] else { return nil }
        return YAMLSection(entries[place].node, path: child(key), diagnostics: diagnostics)
    }

    /// Marks a key as read without looking at its value.
    package func ignore(_ key: String) { known.insert(key) }

    /// Whether the value under a key is a list.
    package func isList(_ key: String) -> Bool {
        if case .sequence? = node(key) { return true }
        return false
    }

    /// The node under a key; nil when it is absent or null.
    private func node(_ key: String) -> Node? {
        known.insert(key)
        guard let place = places[key], !entries[place].node.isNull else { return nil }
        return entries[place].node
    }

    /// Whether the key stands there at all, null or not.
    package func has(_ key: String) -> Bool { places[key] != nil }

    /// Reports an error at a key, or at its nearest parent.
    package func fail(_ key: String, _ code: String, _ message: String) {
        diagnostics.report(.error, code, path: child(key), "\(child(key)): \(message)")
    }

    /// The mapping under a key; nil when it is absent, null, or (with a finding) something else.
    package func section(_ key: String) -> YAMLSection? {
        node(key).flatMap { YAMLSection($0, path: child(key), diagnostics: diagnostics) }
    }

    /// The single value under a key; nil when it is absent, null, or (with a finding) something else.
    package func string(_ key: String) -> String? {
        guard let node = node(key) else { return nil }
        guard case .scalar(let scalar) = node else {
            fail(key, "V01", "a single value is expected")
            return nil
        }
        return scalar.string
    }

    /// As `string`, with a finding when it is absent.
    package func requiredString(_ key: String, _ code: String = "V01", example: String) -> String? {
        if node(key) == nil {
            diagnostics.report(
                .error, code, at: position, "'\(child(key))' is missing: add for example '\(key): \(example)'")
            return nil
        }
        return string(key)
    }

    /// A whole number within a range; nil as in `string`.
    package func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = string(key) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            fail(key, "V01", "'\(text)' must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    /// `true` or `false`; nil as in `string`.
    package func boolean(_ key: String) -> Bool? {
        guard let text = string(key) else { return nil }
        switch text {
        case "true": return true
        case "false": return false
        default:
            fail(key, "V01", "'\(text)' must be true or false")
            return nil
        }
    }

    /// A list of single values, each with its place.
    package func strings(_ key: String) -> [(text: String, position: FilePosition)] {
        guard let node = node(key) else { return [] }
        guard case .sequence(let sequence) = node else {
            fail(key, "V01", "a list is expected: write [a, b]")
            return []
        }
        return sequence.compactMap { element in
            guard case .scalar(let scalar) = element else {
                diagnostics.report(.error, "V01", at: element.position, "\(child(key)): a single value is expected")
                return nil
            }
            return (scalar.string, element.position)
        }
    }

    /// A list of mappings.
    package func sections(_ key: String) -> [YAMLSection] {
        guard let node = node(key) else { return [] }
        guard case .sequence(let sequence) = node else {
            fail(key, "V01", "a list of mappings is expected")
            return []
        }
        return sequence.enumerated().compactMap { index, element in
            YAMLSection(element, path: "\(child(key)).\(index)", diagnostics: diagnostics)
        }
    }

    /// One of an enumeration's words.
    package func choice<Value: RawRepresentable & CaseIterable>(_ key: String, _ code: String, as type: Value.Type)
        -> Value?
    where Value.RawValue == String {
        guard let text = string(key) else { return nil }
        guard let value = Value(rawValue: text) else {
            let words = Value.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            fail(key, code, "'\(text)' must be one of \(words)")
            return nil
        }
        return value
    }

    /// Reports a key that must not stand here; it is never suggested for an unknown one.
    package func refuse(_ key: String, _ code: String, _ message: String) {
        refused.insert(key)
        if has(key) { fail(key, code, message) }
    }

    /// Reports every key that nobody asked for, with the nearest known one as a hint.
    package func finish() {
        for entry in entries where !known.contains(entry.key) && !refused.contains(entry.key) {
            let hint =
                Spelling.nearest(to: entry.key, among: known.sorted()).map { "did you mean '\($0)'?" }
                ?? (known.isEmpty ? "remove it" : "known here: \(known.sorted().joined(separator: ", "))")
            diagnostics.report(
                .error, "V01", at: entry.position, "unknown key '\(child(entry.key))': \(hint)")
        }
    }
}
