import Artifacts
import Testing

@Suite struct NamePatternTests {
    @Test func saysMoreOfANameTheNearerItIs() throws {
        let all = try #require(NamePattern("*"))
        let prefix = try #require(NamePattern("a/*"))
        let exact = try #require(NamePattern("a/b"))
        #expect(all == .all)
        #expect(all.weight(of: "a/b") == 0)
        #expect(prefix.weight(of: "a/b") == 3)
        #expect(exact.weight(of: "a/b") == .max)
        for name in ["a", "ab/c", "b/a/x"] { #expect(prefix.weight(of: name) == nil, "\(name)") }
        for name in ["a", "a/b/c", "a/bc"] { #expect(exact.weight(of: name) == nil, "\(name)") }
    }

    @Test(arguments: ["", "/*", "a*", "**", "A", "a:b", "a/*/b", "a b"])
    func otherFormsAreNone(text: String) {
        #expect(NamePattern(text) == nil)
    }
}
