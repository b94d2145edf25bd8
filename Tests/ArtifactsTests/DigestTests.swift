import Artifacts
import Testing

@Suite struct DigestTests {
    private static let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    @Test func roundTripsThroughItsText() throws {
        let digest = try Digest("sha256:" + Self.hex)
        #expect(digest.description == "sha256:" + Self.hex)
        #expect(digest.hex == Self.hex)
        #expect(try Digest(hex: Self.hex) == digest)
        #expect(Digest(bytes: digest.bytes) == digest)
        #expect(digest == .empty)
    }

    @Test func roundTripsEveryByteInItsPlace() throws {
        let bytes = (0..<32).map { UInt8($0 * 7 + 3) }
        let digest = try #require(Digest(bytes: bytes))
        #expect(digest.bytes == bytes)
        #expect(try Digest(digest.description) == digest)
    }

    /// `HEX` stands for 64 good digits, `CUT` for 61 of them.
    @Test(arguments: [
        "", "sha256", "sha256:", ":", "HEX", "SHA256:HEX", " sha256:HEX", "sha256:HEX ", "sha256:HEX\n", "sha256: HEX",
        "sha256:CUT", "sha256:CUT00", "sha256:HEX0", "sha256:HEX00", "sha256:sha256:HEX", "sha256:CUT00g",
        "sha256:../CUT",
        "sha256:CUT00\u{0}", "sha256:CUT0é", "sha256:CUT000\u{301}", "sha256:CUT0x0", "sha256::HEX", "sha256:HEX:",
    ])
    func rejectsMalformedText(_ text: String) {
        let full = text.replacing("HEX", with: Self.hex).replacing("CUT", with: Self.hex.dropLast(3))
        #expect(throws: ArtifactError(.invalidDigest, "")) { try Digest(full) }
    }

    @Test func rejectsDigitsOfOtherScripts() {
        let text = "sha256:" + String(repeating: "\u{ff10}", count: 64)
        #expect(throws: ArtifactError(.invalidDigest, "")) { try Digest(text) }
    }

    @Test func rejectsUpperCaseDigest() {
        #expect(throws: ArtifactError(.invalidDigest, "")) { try Digest("sha256:" + Self.hex.uppercased()) }
        #expect(throws: ArtifactError(.invalidDigest, "")) { try Digest(hex: Self.hex.uppercased()) }
    }

    @Test(arguments: ["sha512", "sha1", "md5", "blake3", "sha256+b64u"])
    func namesTheUnknownAlgorithm(_ algorithm: String) throws {
        let error = try #require(throws: ArtifactError.self) { try Digest("\(algorithm):\(Self.hex)") }
        #expect(error.code == .invalidDigest)
        #expect(error.message.contains("'\(algorithm)'"))
        #expect(error.message.contains("use sha256"))
    }

    @Test(arguments: [0, 1, 31, 33, 64]) func takesExactly32Bytes(_ count: Int) {
        #expect(Digest(bytes: [UInt8](repeating: 1, count: count)) == nil)
    }

    @Test func ordersAsItsTextDoes() throws {
        let digests = (0..<200).map { SHA256.digest(of: "\($0)".utf8) }
        #expect(digests.sorted().map(\.description) == digests.map(\.description).sorted())
    }
}
