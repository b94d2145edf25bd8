internal import COpenSSL

/// A signature of `ssh-keygen -Y sign` (OpenSSH's PROTOCOL.sshsig).
struct SSHSignature: Sendable {
    /// The namespace that our own signatures of manifests are made for: a signature for anything else is none.
    static let manifestNamespace = "artifact@provisioner"

    let key: SSHPublicKey
    let namespace: String
    let hash: SignedContent.Hash
    let kind: String
    let signature: [UInt8]

    /// - Throws: `TrustError` (`invalidSignature`, or `invalidKey` for a key that is not verified here).
    init(_ bytes: [UInt8]) throws(TrustError) {
        let text = String(decoding: bytes.prefix(64 << 10), as: UTF8.self)
        guard bytes.count <= 64 << 10, let blob = PEMBlock.decode(text, label: "SSH SIGNATURE") else {
            throw TrustError(
                .invalidSignature,
                "it is no SSH signature: 'BEGIN SSH SIGNATURE' is expected, as 'ssh-keygen -Y sign' writes it")
        }
        var reader = SSHWireReader(blob)
        guard reader.raw(6) == Array("SSHSIG".utf8), let version = reader.uint32() else {
            throw TrustError(.invalidSignature, "it is no SSH signature: its magic is missing")
        }
        guard version == 1 else {
            throw TrustError(.invalidSignature, "it is an SSH signature of version \(version): 1 is known")
        }
        guard let keyBlob = reader.string(), let namespace = reader.text(), let reserved = reader.string(),
            let hashName = reader.text(), let signed = reader.string(), reader.isAtEnd
        else { throw TrustError(.invalidSignature, "the SSH signature is cut off or has too much") }
        guard reserved.isEmpty else {
            throw TrustError(.invalidSignature, "the SSH signature has something in its reserved field")
        }
        // PROTOCOL.sshsig allows two.
        guard let hash = ["sha256": SignedContent.Hash.sha256, "sha512": .sha512][hashName] else {
            throw TrustError(
                .invalidSignature, "the SSH signature is over a '\(hashName)': sha256 and sha512 are known")
        }
        guard !namespace.isEmpty else { throw TrustError(.invalidSignature, "the SSH signature has no namespace") }
        var inner = SSHWireReader(signed)
        guard let kind = inner.text(), let signature = inner.string(), inner.isAtEnd else {
            throw TrustError(.invalidSignature, "the SSH signature is damaged")
        }
        key = try SSHPublicKey(blob: keyBlob)
        self.namespace = namespace
        self.hash = hash
        self.kind = kind
        self.signature = signature
    }

    /// Why it is not its key's signature of the content; nil when it is. Whether the key is anybody's is not asked here.
    /// - Throws: `TrustError` (`failure`) when the content cannot be read.
    func fault(over content: SignedContent) throws(TrustError) -> String? {
        guard let publicKey = key.publicKey else { return "its key is damaged" }
        var message = Array("SSHSIG".utf8)
        message.appendSSHString(namespace.utf8)
        message.appendSSHString([])
        message.appendSSHString(hash.rawValue.utf8)
        message.appendSSHString(try content.hash(hash))
        let isRight: Bool
        switch (key.kind, kind) {
        case ("ssh-ed25519", "ssh-ed25519"): isRight = publicKey.verifies(signature, over: message, hash: nil)
        case ("ssh-rsa", "rsa-sha2-256"): isRight = publicKey.verifies(signature, over: message, hash: .sha256)
        case ("ssh-rsa", "rsa-sha2-512"): isRight = publicKey.verifies(signature, over: message, hash: .sha512)
        case ("ssh-rsa", "ssh-rsa"): return "it rests on SHA-1, which is broken"
        case (let type, let kind) where type == kind && type.hasPrefix("ecdsa-sha2-"):
            let hashes: [String: SignedContent.Hash] = [
                "ecdsa-sha2-nistp256": .sha256, "ecdsa-sha2-nistp384": .sha384, "ecdsa-sha2-nistp521": .sha512,
            ]
            guard let hash = hashes[type], let der = Self.der(signature) else { return "the signature is damaged" }
            isRight = publicKey.verifies(der, over: message, hash: hash)
        default: return "a key of type '\(key.kind)' makes no signature of type '\(kind)'"
        }
        return isRight ? nil : "the signature is not of these bytes"
    }

    /// SSH writes the two numbers of an ECDSA signature as such (RFC 5656 section 3.1.2), libcrypto reads them as DER.
    private static func der(_ signature: [UInt8]) -> [UInt8]? {
        var reader = SSHWireReader(signature)
        guard let r = reader.unsignedInteger(), let s = reader.unsignedInteger(), reader.isAtEnd,
            let pair = ECDSA_SIG_new()
        else { return nil }
        defer { ECDSA_SIG_free(pair) }
        guard let first = BN_bin2bn(r, Int32(r.count), nil) else { return nil }
        guard let second = BN_bin2bn(s, Int32(s.count), nil) else {
            BN_free(first)
            return nil
        }
        // From here on the pair owns both.
        guard ECDSA_SIG_set0(pair, first, second) == 1 else { return nil }
        var output: UnsafeMutablePointer<UInt8>?
        let count = i2d_ECDSA_SIG(pair, &output)
        guard count > 0, let output else { return nil }
        defer { CRYPTO_free(output, #file, #line) }
        return Array(UnsafeBufferPointer(start: output, count: Int(count)))
    }
}
