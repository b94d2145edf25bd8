import Artifacts
import Testing
import Trust

@Suite struct PathPatternTests {
    @Test(arguments: [
        ("linux", "linux", true), ("linux", "boot/linux", false), ("*", "linux", true), ("*", "boot/linux", false),
        ("**", "boot/linux", true), ("**/linux", "linux", true), ("**/linux", "a/b/linux", true),
        ("boot/**", "boot/x/y", true), ("boot/**", "boot", true), ("boot/**/z", "boot/z", true),
        ("*.iso", "a.iso", true),
        ("*.iso", "a.iso.sig", false), ("a?c", "abc", true), ("a?c", "ac", false), ("a*b*c", "a-b-b-c", true),
    ])
    func aPatternFitsWhatItSays(_ pattern: String, _ path: String, _ fits: Bool) throws {
        let pattern = try #require(PathPattern(pattern))
        #expect(pattern.matches(try ArtifactPath(path)) == fits)
    }

    /// A backtracking matcher takes longer than the universe for this one.
    @Test func aHostilePatternTakesNoTime() throws {
        let pattern = try #require(PathPattern(String(repeating: "**/*a*", count: 100)))
        #expect(!pattern.matches(try ArtifactPath(String(repeating: "aaaaaaaa/", count: 100) + "b")))
    }
}
