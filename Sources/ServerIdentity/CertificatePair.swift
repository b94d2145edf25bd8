internal import Artifacts
internal import COpenSSL

/// A certificate and its private key, as they are stored.
enum CertificatePair {
    /// What a pair says of itself, when the two are whole and belong together. Both are PEM.
    /// - Throws: `ServerIdentityError`.
    static func check(
        certificate: String, privateKey: String
    ) throws(ServerIdentityError) -> (fingerprint: Digest, isAuthority: Bool) {
        guard let parsed = PEM.readCertificate(certificate) else {
            throw ServerIdentityError("the certificate is damaged")
        }
        defer { X509_free(parsed) }
        guard let key = PEM.readPrivateKey(privateKey) else { throw ServerIdentityError("the private key is damaged") }
        defer { EVP_PKEY_free(key) }
        guard X509_check_private_key(parsed, key) == 1 else {
            throw ServerIdentityError("the private key is not the certificate's")
        }
        let isAuthority = X509_get_extension_flags(parsed) & UInt32(EXFLAG_CA) != 0
        return (try ServerIdentity.fingerprint(of: parsed), isAuthority)
    }
}
