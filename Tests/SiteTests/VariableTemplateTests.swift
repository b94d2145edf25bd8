import Fixtures
import Site
import Testing

@Suite struct VariableTemplateTests {
    @Test(
        arguments: [
            ("", []), ("plain", [.literal("plain")]), ("${a}", [.variable("a")]),
            ("x=${a.b}/${c}", [.literal("x="), .variable("a.b"), .literal("/"), .variable("c")]),
            ("${a}${b}", [.variable("a"), .variable("b")]), ("${}", [.variable("")]),
            ("$a {b} $", [.literal("$a {b} $")]),
            ("${a", [.literal("${a")]), ("}${a}{", [.literal("}"), .variable("a"), .literal("{")]),
            ("$${a}", [.literal("$"), .variable("a")]), ("${${a}}", [.variable("${a"), .literal("}")]),
            ("é${\u{301}a}\u{301}", [.literal("é"), .variable("\u{301}a"), .literal("\u{301}")]),
        ] as [(String, [VariableTemplate.Segment])])
    func cutsTextIntoSegments(_ text: String, _ segments: [VariableTemplate.Segment]) {
        #expect(VariableTemplate(text).segments == segments)
    }

    @Test func fillsInWhatIsKnown() {
        let template = VariableTemplate("a=${a} b=${b} a=${a}")
        #expect(template.variables == ["a", "b", "a"])
        #expect(template.literals == ["a=", " b=", " a="])
        #expect(template.expanded { $0 == "a" ? "1" : nil } == "a=1 b=${b} a=1")
    }

    @Test func doesNotExpandValuesAgain() {
        #expect(VariableTemplate("${a}").expanded { _ in "${a}" } == "${a}")
    }

    @Test func keepsTextThatHasNoKnownVariable() {
        var random = SeededGenerator(seed: 7)
        let alphabet: [Character] = ["$", "{", "}", "a", "\n", "é", "\u{301}", "${", " "].flatMap { Array($0) }
        for _ in 0..<1000 {
            let text = String((0..<20).map { _ in alphabet.randomElement(using: &random) ?? "$" })
            #expect(Array(VariableTemplate(text).expanded { _ in nil }.utf8) == Array(text.utf8))
        }
    }
}
