internal import Artifacts

/// A public key as OpenSSH writes it (RFC 4253 section 6.6, RFC 5656, RFC 8709).
struct SSHPublicKey: Sendable, Hashable {
    /// Smaller RSA keys sign nothing here.
    static let minimumBits = 2048

    let kind: String
    let blob: [UInt8]

    /// Reads `ssh-ed25519 AAAA... comment`.
    /// - Throws: `TrustError` (`invalidKey`).
    init(_ text: some StringProtocol) throws(TrustError) {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, let blob = Base64.decode(words[1]) else {
            throw TrustError(
                .invalidKey, "it is no SSH public key: write the line of the .pub file, such as 'ssh-ed25519 AAAA...'")
        }
        try self.init(blob: blob)
        guard kind == words[0] else {
            throw TrustError(.invalidKey, "the key is of type '\(kind)', and its line says '\(words[0])'")
        }
    }

    /// - Throws: `TrustError` (`invalidKey`) for a type that is not verified here, and for a weak or damaged key.
    init(blob: [UInt8]) throws(TrustError) {
        var reader = SSHWireReader(blob)
        guard let kind = reader.text() else { throw TrustError(.invalidKey, "the SSH key is damaged") }
        self.kind = kind
        self.blob = blob
        guard Self.kinds.contains(kind) else {
            throw TrustError(
                .invalidKey,
                "SSH keys of type '\(kind)' are not supported: use \(Self.kinds.joined(separator: ", "))")
        }
        guard let key = publicKey else { throw TrustError(.invalidKey, "the SSH key is damaged") }
        guard kind != "ssh-rsa" || (Self.minimumBits...16384).contains(key.bits) else {
            throw TrustError(.invalidKey, "the RSA key has \(key.bits) bits: \(Self.minimumBits) are the least")
        }
    }

    private static let kinds = [
        "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
    ]

    /// As `ssh-keygen -l` prints it.
    var fingerprint: String {
        "SHA256:" + Base64.encode(SHA256.digest(of: blob).bytes).trimmingSuffix { $0 == "=" }
    }

    var text: String { "\(kind) \(Base64.encode(blob))" }

    var publicKey: PublicKey? {
        var reader = SSHWireReader(blob)
        _ = reader.string()
        var key: PublicKey?
        switch kind {
        case "ssh-ed25519": key = reader.string().flatMap(PublicKey.ed25519)
        case "ssh-rsa":
            guard let exponent = reader.unsignedInteger(), let modulus = reader.unsignedInteger() else { return nil }
            key = PublicKey.rsa(exponent: exponent, modulus: modulus)
        default:
            guard let name = reader.text(), kind == "ecdsa-sha2-\(name)", let point = reader.string(),
                let curve = Self.curves[name]
            else { return nil }
            key = PublicKey.ellipticCurve(curve, point: point)
        }
        return reader.isAtEnd ? key : nil
    }

    private static let curves = ["nistp256": "prime256v1", "nistp384": "secp384r1", "nistp521": "secp521r1"]
}
