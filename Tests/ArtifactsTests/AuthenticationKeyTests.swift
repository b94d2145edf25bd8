import Artifacts
import Testing

/// HMAC pads keys shorter than a block with zeros (RFC 2104 section 2), so the short keys of RFC 4231 can be written as
/// the 32 bytes that this key wants.
@Suite struct AuthenticationKeyTests {
    private static func key(_ bytes: [UInt8]) throws -> AuthenticationKey {
        try #require(AuthenticationKey(bytes: bytes + [UInt8](repeating: 0, count: 32 - bytes.count)))
    }

    @Test(arguments: [
        (
            [UInt8](repeating: 0x0b, count: 20), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
    ])
    func matchesRFC4231(_ bytes: [UInt8], _ text: String, _ code: String) throws {
        let key = try Self.key(bytes)
        #expect(Hexadecimal.encode(key.code(for: text)) == code)
        #expect(key.verifies(key.code(for: text), for: text))
    }

    @Test func refusesEveryOtherCode() throws {
        let key = try Self.key([1, 2, 3])
        let code = key.code(for: "text")
        #expect(!key.verifies(code, for: "Text"))
        #expect(!key.verifies([], for: "text"))
        #expect(!key.verifies(Array(code.dropLast()), for: "text"))
        #expect(!key.verifies(code + [0], for: "text"))
        #expect(!(try Self.key([1, 2, 4])).verifies(code, for: "text"))
        for bit in 0..<256 {
            var forged = code
            forged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!key.verifies(forged, for: "text"))
        }
    }

    @Test func authenticatesTheEmptyText() throws {
        let key = try Self.key([])
        #expect(
            Hexadecimal.encode(key.code(for: "")) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test(arguments: [0, 1, 31, 33, 64]) func needs32Bytes(_ count: Int) {
        #expect(AuthenticationKey(bytes: [UInt8](repeating: 7, count: count)) == nil)
    }

    @Test func makesAnotherKeyEachTime() throws {
        let first = try #require(AuthenticationKey.random())
        let second = try #require(AuthenticationKey.random())
        #expect(first.bytes.count == 32)
        #expect(first.bytes != second.bytes)
    }

    @Test func neverPrintsItsBytes() throws {
        let key = try Self.key(Array("hunter2".utf8))
        #expect("\(key)" == "AuthenticationKey(secret)")
        #expect(!String(reflecting: key).contains("104"))
        #expect(!String(describing: [key]).contains("104"))
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!dumped.contains("104"))
    }

    @Test func comparesSecretsOfAnyLength() {
        #expect(AuthenticationKey.equal([], []))
        #expect(AuthenticationKey.equal([1, 2], [1, 2]))
        #expect(!AuthenticationKey.equal([1, 2], [1, 3]))
        #expect(!AuthenticationKey.equal([1, 2], [1, 2, 3]))
    }
}
