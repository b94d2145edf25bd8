/// Text with `${name}` variables, cut once into literals and names. There is no escape: a `$` that does not start
/// `${name}` is a literal.
package struct VariableTemplate: Hashable, Sendable {
    package enum Segment: Hashable, Sendable {
        case literal(String)
        case variable(String)
    }

    package let segments: [Segment]

    package init(_ text: String) {
        // Bytes and not characters: a combining mark after `${` must not hide a variable from us that loaders see.
        var segments: [Segment] = []
        let bytes = text.utf8
        var rest = bytes.startIndex
        var search = rest
        while let dollar = bytes[search...].firstIndex(of: UInt8(ascii: "$")) {
            let brace = bytes.index(after: dollar)
            search = brace
            guard brace < bytes.endIndex, bytes[brace] == UInt8(ascii: "{") else { continue }
            let name = bytes.index(after: brace)
            guard let end = bytes[name...].firstIndex(of: UInt8(ascii: "}")) else { break }
            if rest < dollar { segments.append(.literal(String(text[rest..<dollar]))) }
            segments.append(.variable(String(text[name..<end])))
            rest = bytes.index(after: end)
            search = rest
        }
        if rest < bytes.endIndex { segments.append(.literal(String(text[rest...]))) }
        self.segments = segments
    }

    package var variables: [String] {
        segments.compactMap { if case .variable(let name) = $0 { name } else { nil } }
    }

    package var literals: [String] {
        segments.compactMap { if case .literal(let text) = $0 { text } else { nil } }
    }

    /// Fills the variables in. `value` gives nil for a variable that it does not know: it stays as it was written.
    package func expanded(_ value: (String) -> String?) -> String {
        segments.map { segment in
            switch segment {
            case .literal(let text): text
            case .variable(let name): value(name) ?? "${\(name)}"
            }
        }.joined()
    }
}
