import Artifacts
import Fixtures
import Testing

/// Vectors of FIPS 180-2, appendix B, and NIST's examples.
@Suite struct SHA256Tests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                + "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
    ])
    func matchesPublishedVectors(_ text: String, _ hex: String) throws {
        #expect(SHA256.digest(of: text.utf8).hex == hex)
        let hash = try SHA256()
        hash.update(text.utf8)
        #expect(hash.finish().hex == hex)
    }

    @Test func matchesTheMillionLetterVector() throws {
        let hash = try SHA256()
        let thousand = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
        for _ in 0..<1000 { hash.update(thousand) }
        #expect(hash.finish().hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func givesTheSameDigestForAnyPieces() throws {
        var random = SeededGenerator(seed: 256)
        for _ in 0..<50 {
            let bytes = random.bytes(Int.random(in: 0...5000, using: &random))
            let hash = try SHA256()
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 0...300, using: &random))
                rest = rest.dropFirst(piece.count)
                // Slices, lazy sequences without storage and raw buffers take different ways in.
                switch Int.random(in: 0...2, using: &random) {
                case 0: hash.update(piece)
                case 1: hash.update(piece.lazy.map { $0 })
                default: piece.withUnsafeBytes { hash.update($0) }
                }
            }
            #expect(hash.finish() == SHA256.digest(of: bytes))
        }
    }

    @Test func startsAnewAfterFinish() throws {
        let hash = try SHA256()
        hash.update("abc".utf8)
        let first = hash.finish()
        #expect(hash.finish() == .empty)
        hash.update("abc".utf8)
        #expect(hash.finish() == first)
    }
}
