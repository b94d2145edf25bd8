internal import Artifacts
internal import COpenSSL

/// A public key as `cosign generate-key-pair` and openssl write it.
struct CosignKey: Sendable, Hashable {
    let der: [UInt8]

    /// - Throws: `TrustError` (`invalidKey`).
    init(pem text: String) throws(TrustError) {
        guard let der = PEMBlock.decode(text, label: "PUBLIC KEY"), let key = PublicKey.subjectPublicKeyInfo(der) else {
            throw TrustError(
                .invalidKey, "it is no PEM public key: 'BEGIN PUBLIC KEY' is expected, as 'cosign public-key' writes it"
            )
        }
        // cosign verifies all of these; its own keys are on P-256.
        let isUsable =
            key.isKind("EC") && [256, 384, 521].contains(key.bits) || key.isKind("ED25519")
            || key.isKind("RSA") && (SSHPublicKey.minimumBits...16384).contains(key.bits)
        guard isUsable else {
            throw TrustError(
                .invalidKey,
                "keys of this type are not supported: use ECDSA on a NIST curve, Ed25519, or RSA with 2048 bits")
        }
        self.der = der
    }

    var fingerprint: String { "SHA256:" + SHA256.digest(of: der).hex }
    var publicKey: PublicKey? { PublicKey.subjectPublicKeyInfo(der) }
}

/// A signature of `cosign sign-blob --key`: base64 of ECDSA in DER form, of RSA PKCS #1, or of Ed25519. It does not say
/// whose it is.
struct CosignSignature: Sendable {
    let signature: [UInt8]

    /// - Throws: `TrustError` (`invalidSignature`).
    init(_ bytes: [UInt8]) throws(TrustError) {
        guard bytes.count <= 8192, let text = String(validating: bytes, as: UTF8.self),
            let signature = Base64.decode(text)
        else {
            throw TrustError(
                .invalidSignature,
                "it is no cosign signature: one line of base64 is expected, as 'cosign sign-blob' writes it (a bundle is not supported)"
            )
        }
        self.signature = signature
    }

    /// Why it is not the key's signature of the content; nil when it is.
    /// - Throws: `TrustError` (`failure`) when the content cannot be read.
    func fault(by key: CosignKey, over content: SignedContent) throws(TrustError) -> String? {
        guard let publicKey = key.publicKey else { return "its key is damaged" }
        let isRight: Bool
        if publicKey.isKind("ED25519") {
            let bytes: [UInt8]
            do {
                bytes = try content.all(limit: MinisignSignature.legacyLimit)
            } catch {
                return "Ed25519 signatures of cosign are over the whole file, and \(error): use a P-256 key"
            }
            isRight = publicKey.verifies(signature, over: bytes, hash: nil)
        } else {
            isRight = publicKey.verifies(signature, overHash: try content.hash(.sha256), .sha256)
        }
        return isRight ? nil : "the signature is not of these bytes"
    }
}
