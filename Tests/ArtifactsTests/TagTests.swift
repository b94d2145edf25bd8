import Artifacts
import Testing

@Suite struct TagTests {
    @Test(arguments: [
        "1", "12.11", "v1.0-rc_1", "_", "__init", "A", "latest", "8.4-1", "a..b", String(repeating: "x", count: 128),
    ])
    func roundTrips(_ text: String) throws {
        #expect(try Tag(text).description == text)
    }

    @Test(arguments: [
        "", ".", "..", ".1", "-1", "-", "a/b", "../a", "a:b", "a@b", "a b", " a", "a ", "a\n", "\u{0}", "a\u{7f}", "é",
        "e\u{301}", "a+b", "a%41", "a\\b", "a,b", "${x}", String(repeating: "x", count: 129),
        String(repeating: ".", count: 128),
    ])
    func rejectsWhatTheSpecificationDoesNotAllow(_ text: String) {
        #expect(throws: ArtifactError(.invalidTag, "")) { try Tag(text) }
    }

    @Test func errorStaysShortForLongInput() throws {
        let error = try #require(throws: ArtifactError.self) { try Tag(String(repeating: "x", count: 1 << 20)) }
        #expect(error.message.utf8.count < 400)
    }
}
