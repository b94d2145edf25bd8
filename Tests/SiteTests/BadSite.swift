import ConfigurationFile
import Site
import Testing

/// One mistake in `BaseSite`, with the findings it must give. `▶` in the new text stands before the place that a
/// finding must point at; it is taken out before the text is parsed.
struct BadSite: Sendable, CustomTestStringConvertible {
    private static let marker: Character = "▶"

    let testDescription: String
    /// The rule's code, and a part of the message: what is wrong or the fix.
    let code: String
    let hint: String
    private let edits: [String: String]

    /// `also` has further edits that the mistake needs around it, old text to new.
    init(
        _ name: String, _ code: String, _ hint: String, replacing old: String, with new: String,
        also: [String: String] = [:]
    ) {
        testDescription = name
        self.code = code
        self.hint = hint
        edits = also.merging([old: new]) { _, new in new }
    }

    /// Expects exactly the marked errors, and no site.
    func check(sourceLocation: SourceLocation = #_sourceLocation) throws {
        var marked = BaseSite.text
        for (old, new) in edits {
            try #require(BaseSite.text.ranges(of: old).count == 1, "'\(old)' must be in the base site once")
            marked.replace(old, with: new)
        }
        let reading = BaseSite.parse(marked.filter { $0 != Self.marker })
        let errors = reading.diagnostics.filter { $0.severity == .error }
        let places = errors.map { "\($0.code) \($0.position.line):\($0.position.column)" }
        let expected = Self.marks(in: marked).map { "\(code) \($0.line):\($0.column)" }
        #expect(!expected.isEmpty, "the fixture needs a mark", sourceLocation: sourceLocation)
        #expect(places == expected, "\(errors.map { $0.rendered(file: "site.yaml") })", sourceLocation: sourceLocation)
        #expect(
            errors.allSatisfy { $0.message.contains(hint) }, "\(errors.map(\.message))", sourceLocation: sourceLocation)
        #expect(reading.site == nil, sourceLocation: sourceLocation)
    }

    private static func marks(in text: String) -> [FilePosition] {
        var marks: [FilePosition] = []
        var line = 1
        var column = 1
        for character in text {
            switch character {
            case marker: marks.append(FilePosition(line: line, column: column))
            case "\n": (line, column) = (line + 1, 1)
            default: column += 1
            }
        }
        return marks
    }
}
