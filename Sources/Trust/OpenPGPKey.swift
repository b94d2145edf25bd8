internal import Artifacts

/// Primary keys of OpenPGP, and the certificates that gpgv looks for them in. What is inside is never parsed here: gpgv
/// does, and only fingerprints count.
struct OpenPGPKey: Sendable, Hashable {
    /// 40 upper-case hexadecimal digits, or 64.
    let fingerprint: String
    /// As gpgv reads it: binary packets.
    let keyring: [UInt8]

    /// - Parameters:
    ///   - fingerprint: Of the primary key; blanks are allowed.
    ///   - keyring: Armoured text (RFC 4880 section 6.2), one block or several, or binary.
    /// - Throws: `TrustError` (`invalidKey`).
    init(fingerprint: String, keyring: [UInt8]) throws(TrustError) {
        let digits = fingerprint.uppercased().filter { !$0.isWhitespace }
        guard [40, 64].contains(digits.count), digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            throw TrustError(
                .invalidKey,
                "'\(fingerprint)' is no OpenPGP fingerprint: write the 40 digits that 'gpg --show-keys' prints; a short key ID is not safe"
            )
        }
        self.fingerprint = digits
        let text = String(decoding: keyring.prefix(64), as: UTF8.self)
        if text.hasPrefix("-----BEGIN PGP ") {
            self.keyring = try Self.unarmour(String(decoding: keyring, as: UTF8.self))
        } else {
            // A packet's first byte (RFC 4880 section 4.2).
            guard let first = keyring.first, first & 0x80 != 0 else {
                throw TrustError(
                    .invalidKey, "the keyring is no OpenPGP certificate: export it with 'gpg --export --armor'")
            }
            self.keyring = keyring
        }
    }

    private static func unarmour(_ text: String) throws(TrustError) -> [UInt8] {
        var bytes: [UInt8] = []
        var body: String?
        for line in Lines.split(text) {
            let line = line.trimmingSuffix { $0 == " " || $0 == "\t" }
            switch line {
            case "-----BEGIN PGP PUBLIC KEY BLOCK-----": body = ""
            case "-----END PGP PUBLIC KEY BLOCK-----":
                guard let block = body.flatMap({ Base64.decode($0) }) else {
                    throw TrustError(.invalidKey, "the armour of the OpenPGP certificate is damaged")
                }
                bytes += block
                body = nil
            default:
                // Headers and the checksum say nothing about the key.
                if body != nil, !line.contains(": "), !line.hasPrefix("=") { body?.append(line) }
            }
        }
        guard body == nil, !bytes.isEmpty else {
            throw TrustError(
                .invalidKey, "the OpenPGP certificate is cut off, or is none: 'BEGIN PGP PUBLIC KEY BLOCK' is expected")
        }
        return bytes
    }
}
