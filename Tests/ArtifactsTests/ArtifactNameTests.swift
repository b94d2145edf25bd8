import Artifacts
import Testing

@Suite struct ArtifactNameTests {
    @Test(arguments: [
        "a", "0", "debian-12-netboot", "library/debian", "a/b/c/d", "a.b", "a_b", "a__b", "a-b", "a--b", "a-----b",
        "1.2.3", "ghcr.io/owner/name", String(repeating: "a", count: 255),
    ])
    func roundTrips(_ text: String) throws {
        #expect(try ArtifactName(text).description == text)
        #expect(try ArtifactName(Substring(text)).description == text)
    }

    @Test(arguments: [
        "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/./b", ".a", "a.", "-a", "a-", "_a", "a_",
        "a..b", "a___b", "a.-b", "a-.b", "a_-b", "a._b", "a/-b", "A", "Debian", "a b", " a", "a ", "a\n", "a\tb",
        "a\u{0}",
        "a\u{7f}", "a:b", "a@b", "a\\b", "a%2fb", "a?b", "a#b", "é", "a\u{301}", "ａ", "a/\u{301}b", "~a", "a+b",
    ])
    func rejectsWhatTheSpecificationDoesNotAllow(_ text: String) {
        #expect(throws: ArtifactError(.invalidName, "")) { try ArtifactName(text) }
    }

    @Test func rejectsMoreThan255Characters() {
        #expect(throws: ArtifactError(.invalidName, "")) { try ArtifactName(String(repeating: "a", count: 256)) }
        #expect(throws: ArtifactError(.invalidName, "")) {
            try ArtifactName(String(repeating: "a/", count: 127) + "aa")
        }
        #expect(throws: ArtifactError(.invalidName, "")) { try ArtifactName(String(repeating: "-", count: 1 << 20)) }
    }

    @Test func errorNamesTheComponentAtFault() throws {
        let error = try #require(throws: ArtifactError.self) { try ArtifactName("library/Debian") }
        #expect(error.message.contains("'library/Debian'"))
        #expect(error.message.contains("'Debian'"))
    }

    @Test func sortsByText() throws {
        let names = try ["b", "a/b", "a"].map { try ArtifactName($0) }
        #expect(names.sorted().map(\.description) == ["a", "a/b", "b"])
    }
}
