internal import COpenSSL

/// Signatures of the site's boot key, verified as a loader does that has the certificate inside (iPXE `crypto/cms.c`).
package enum BootSignature {
    /// Whether a detached CMS signature in DER form is over a file, by the key of a certificate.
    /// - Parameters:
    ///   - signature: the path of the signature.
    ///   - file: the path of what it is over, which may be larger than memory.
    ///   - certificate: PEM.
    /// - Returns: false for whatever cannot be read, too.
    package static func isValid(at signature: String, over file: String, by certificate: String) -> Bool {
        guard let parsed = PEM.readCertificate(certificate) else { return false }
        defer { X509_free(parsed) }
        guard let input = BIO_new_file(signature, "r") else { return false }
        defer { BIO_free(input) }
        guard let message = d2i_CMS_bio(input, nil) else { return false }
        defer { CMS_ContentInfo_free(message) }
        guard let content = BIO_new_file(file, "r") else { return false }
        defer { BIO_free(content) }
        guard let known = OPENSSL_sk_new_null() else { return false }
        defer { OPENSSL_sk_free(known) }
        guard OPENSSL_sk_push(known, UnsafeRawPointer(parsed)) > 0 else { return false }
        // The one certificate and no chain: loaders trust it itself.
        let flags = UInt32(CMS_DETACHED | CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY)
        return CMS_verify(message, known, nil, content, nil, flags) == 1
    }
}
