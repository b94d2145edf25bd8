package import Artifacts

/// The code that a server shows on its own console until the first operator has logged in: 16 letters and digits, 80
/// bits. Who reads it stands before the machine, so it proves each side to the other: the server to the client, bound
/// to the certificate that the client sees, and the client to the server. It never crosses the network itself, and what
/// does cross cannot be tried out against 2^80 codes.
package struct LoginCode: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// Crockford's alphabet: no I, L, O, U, which people misread.
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    private static let length = 16
    /// In each message, so that nobody's proof can be played back as the other's.
    private enum Role: String {
        case server = "provisioner login, server"
        case client = "provisioner login, client"
    }

    private let characters: String

    /// From what a person typed: dashes, blanks and case do not count, O is 0, I and L are 1. nil for anything else.
    package init?(_ text: some StringProtocol) {
        var characters = ""
        for character in text.uppercased() where character != "-" && !character.isWhitespace {
            switch character {
            case "O": characters.append("0")
            case "I", "L": characters.append("1")
            case _ where Self.alphabet.contains(character): characters.append(character)
            default: return nil
            }
        }
        guard characters.count == Self.length else { return nil }
        self.characters = characters
    }

    /// A new one; nil when libcrypto has no entropy.
    package static func random() -> LoginCode? {
        RandomBytes.make(length).flatMap { bytes in LoginCode(String(bytes.map { alphabet[Int($0) & 31] })) }
    }

    /// As it is shown: `ABCD-EFGH-JKMN-PQRS`. It is a secret until it is used.
    package var text: String {
        stride(from: 0, to: Self.length, by: 4).map { start in
            String(characters.dropFirst(start).prefix(4))
        }.joined(separator: "-")
    }

    /// What the server answers to a client's nonce: hexadecimal.
    package func serverProof(nonce: String, fingerprint: Digest) -> String { proof(.server, nonce, fingerprint) }

    /// What the client sends once it believes the server: hexadecimal.
    package func clientProof(nonce: String, fingerprint: Digest) -> String { proof(.client, nonce, fingerprint) }

    /// Compares proofs without telling by its time where they differ.
    package static func matches(_ first: String, _ second: String) -> Bool {
        AuthenticationKey.equal(Array(first.utf8), Array(second.utf8))
    }

    private func proof(_ role: Role, _ nonce: String, _ fingerprint: Digest) -> String {
        guard let key = AuthenticationKey(bytes: SHA256.digest(of: Array(characters.utf8)).bytes) else { return "" }
        return Hexadecimal.encode(key.code(for: "\(role.rawValue)\n\(fingerprint)\n\(nonce)"))
    }

    package var description: String { "LoginCode(secret)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
