/// A SHA-256 digest: the name of a blob. Written `sha256:` and 64 lower-case hexadecimal digits
/// (OCI image specification, "Digests"); other algorithms are refused by name.
package struct Digest: Hashable, Sendable, CustomStringConvertible, Comparable {
    /// The digest of no bytes at all.
    package static let empty = SHA256.digest(of: [])

    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// Takes exactly 32 bytes; nil for any other count.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        var words: [UInt64] = [0, 0, 0, 0]
        for (index, byte) in bytes.enumerated() {
            words[index / 8] = words[index / 8] << 8 | UInt64(byte)
        }
        self.words = (words[0], words[1], words[2], words[3])
    }

    /// Parses `sha256:HEX`.
    /// - Throws: `ArtifactError` (`invalidDigest`) that names the algorithm or the fault in the digits.
    package init(_ text: some StringProtocol) throws(ArtifactError) {
        guard let colon = text.firstIndex(of: ":") else {
            throw ArtifactError(
                .invalidDigest, "'\(text)' is not a digest: write sha256: and 64 hexadecimal digits")
        }
        let algorithm = text[..<colon]
        guard algorithm == "sha256" else {
            throw ArtifactError(
                .invalidDigest, "digest algorithm '\(algorithm)' is not supported: use sha256")
        }
        try self.init(hex: text[text.index(after: colon)...])
    }

    /// Parses 64 lower-case hexadecimal digits.
    /// - Throws: `ArtifactError` (`invalidDigest`).
    package init(hex: some StringProtocol) throws(ArtifactError) {
        guard let bytes = Hexadecimal.decode(hex), bytes.count == 32, let digest = Digest(bytes: bytes) else {
            throw ArtifactError(
                .invalidDigest, "'\(hex)' is not a SHA-256: it must be 64 hexadecimal digits in lower case")
        }
        self = digest
    }

    /// The 32 bytes, most significant first.
    package var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
        }
    }

    /// The last 64 bits: for whoever needs a number that hangs on all of the bytes.
    var lowBits: UInt64 { words.3 }

    /// The 64 hexadecimal digits without the algorithm.
    package var hex: String { Hexadecimal.encode(bytes) }

    package var description: String { "sha256:" + hex }

    package static func == (lhs: Digest, rhs: Digest) -> Bool { lhs.words == rhs.words }

    package static func < (lhs: Digest, rhs: Digest) -> Bool { lhs.words < rhs.words }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}
