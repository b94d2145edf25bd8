/// Text with `${name}` variables, cut once into literals and names. There is no escape: a `$` that does not start
/// `${name}` is a literal.
package struct VariableTemplate: Hashable, Sendable {
    package enum Segment: Hashable, Sendable {
        case literal(String)
        case variable(String)
    }

    package let segments: [Segment]

    package init(_ text: String) {
        // Scalars and not characters: a combining mark after `${` must not hide a variable from us that loaders see.
        var segments: [Segment] = []
        var rest = text.unicodeScalars[...]
        while let start = rest.firstRange(of: "${".unicodeScalars),
            let end = rest[start.upperBound...].firstIndex(of: "}")
        {
            if start.lowerBound > rest.startIndex { segments.append(.literal(String(rest[..<start.lowerBound]))) }
            segments.append(.variable(String(rest[start.upperBound..<end])))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty { segments.append(.literal(String(rest))) }
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
