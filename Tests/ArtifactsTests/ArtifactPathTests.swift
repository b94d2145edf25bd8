import Artifacts
import Testing

@Suite struct ArtifactPathTests {
    @Test(arguments: [
        "vmlinuz", "install.amd/vmlinuz", "a/b/c/d/e", "...", "..a", "a..", ".hidden", "a/.hidden",
        "with space/file name",
        "dvd.iso/pool/main/libstdc++6_12.deb", "100%", "a:b@c", "é/ü", "a?b#c", "~", "-",
        String(repeating: "x", count: 1024),
    ])
    func roundTrips(_ text: String) throws {
        #expect(try ArtifactPath(text).description == text)
        #expect(try ArtifactPath(Substring(text)).description == text)
    }

    @Test(arguments: [
        "", "/", "/etc/passwd", "//a", "a/", "a//b", ".", "..", "./a", "../a", "a/.", "a/..", "a/./b", "a/../b",
        "a/../../etc/passwd", "\\", "..\\a", "a\\b", "C:\\x", "a\u{0}b", "a\nb", "a\r\nb", "\ta", "a\u{1b}[2J",
        "a\u{7f}",
    ])
    func rejectsWhatCouldLeadOut(_ text: String) {
        #expect(throws: ArtifactError(.invalidPath, "")) { try ArtifactPath(text) }
    }

    /// To a kernel the slash before a combining mark is a slash, whatever Unicode calls a character.
    @Test(arguments: [
        "/\u{301}etc", "../\u{301}etc", "a/../\u{301}b", "a/./\u{301}b", "a//\u{301}b", "a/..\u{2f}\u{20dd}b",
        "\u{301}/../\u{200d}x",
    ])
    func rejectsTraversalBehindCombiningMarks(_ text: String) {
        #expect(throws: ArtifactError(.invalidPath, "")) { try ArtifactPath(text) }
    }

    @Test func rejectsMoreThan1024Bytes() {
        #expect(throws: ArtifactError(.invalidPath, "")) { try ArtifactPath(String(repeating: "x", count: 1025)) }
        // Bytes count, not characters.
        #expect(throws: ArtifactError(.invalidPath, "")) { try ArtifactPath(String(repeating: "é", count: 513)) }
        #expect(throws: Never.self) { try ArtifactPath(String(repeating: "é", count: 512)) }
    }

    @Test func errorShowsNoControlCharacters() throws {
        let error = try #require(throws: ArtifactError.self) { try ArtifactPath("a\u{1b}[31m\r\n\u{7f}") }
        #expect(error.message.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 })
        #expect(error.message.contains("a?[31m???"))
    }

    @Test func knowsItsFileName() throws {
        #expect(try ArtifactPath("install.amd/vmlinuz").fileName == "vmlinuz")
        #expect(try ArtifactPath("vmlinuz").fileName == "vmlinuz")
        #expect(try ArtifactPath("a/\u{301}b").fileName == "\u{301}b")
    }
}
