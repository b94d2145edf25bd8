package import Artifacts
internal import COpenSSL

/// The site's own key for what machines boot: an RSA key with a certificate for signing code. Loaders that an operator built
/// with the certificate inside verify what they load; the key itself never leaves the server.
package struct BootKey: Sendable, CustomStringConvertible, CustomReflectable {
    private static let bits: Int32 = 3072

    /// PEM.
    package let certificate: String
    /// PEM, PKCS #8. A secret.
    package let privateKey: String
    /// SHA-256 of the certificate's DER form.
    package let fingerprint: Digest

    /// Reads what was stored.
    /// - Throws: `ServerIdentityError` when one of the two is damaged, or they do not belong together.
    package init(certificate: String, privateKey: String) throws(ServerIdentityError) {
        fingerprint = try CertificatePair.check(certificate: certificate, privateKey: privateKey).fingerprint
        self.certificate = certificate
        self.privateKey = privateKey
    }

    /// A new key, with a certificate that it issues itself, for signing code and nothing else.
    /// - Throws: `ServerIdentityError` when libcrypto cannot make one.
    package static func make() throws(ServerIdentityError) -> BootKey {
        guard let key = makeKey(), let number = RandomBytes.make(4) else {
            throw ServerIdentityError("libcrypto makes no RSA key on this machine")
        }
        defer { EVP_PKEY_free(key) }
        let certificate = try ServerIdentity.makeCertificate(
            for: key, name: "provisioner boot \(Hexadecimal.encode(number))",
            extensions: [
                (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
                (NID_ext_key_usage, "codeSigning"),
            ], issuer: nil, issuerKey: key)
        return try BootKey(certificate: certificate, privateKey: try ServerIdentity.text(of: key))
    }

    private static func makeKey() -> OpaquePointer? {
        guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits) == 1,
            EVP_PKEY_generate(context, &key) == 1
        else { return nil }
        return key
    }

    /// A detached CMS signature in DER form, over bytes in memory.
    /// - Throws: `ServerIdentityError` when libcrypto cannot make it.
    package func sign(_ bytes: [UInt8]) throws(ServerIdentityError) -> [UInt8] {
        guard let input = BIO_new(BIO_s_mem()) else { throw Self.failed }
        defer { BIO_free(input) }
        guard bytes.isEmpty || BIO_write(input, bytes, Int32(bytes.count)) == Int32(bytes.count) else {
            throw Self.failed
        }
        return try sign(input)
    }

    /// The same over a piece of a file, read as it is hashed.
    /// - Throws: `ServerIdentityError` when the file cannot be read.
    package func sign(path: String, offset: Int64, size: Int64) throws(ServerIdentityError) -> [UInt8] {
        guard let file = BIO_new_file(path, "r") else { throw ServerIdentityError("\(path) cannot be opened") }
        defer { BIO_free(file) }
        guard BIO_ctrl(file, BIO_C_FILE_SEEK, Int(offset), nil) >= 0 else { throw Self.failed }
        return try sign(file, size: size)
    }

    private static let failed = ServerIdentityError("libcrypto makes no signature on this machine")

    /// Without signed attributes, which iPXE does not read (its `crypto/cms.c`): the signature is over the content itself.
    private static let flags = UInt32(CMS_DETACHED | CMS_BINARY | CMS_NOATTR | CMS_NOSMIMECAP)

    /// `size`: bytes that are read of the input; all of them where it is nil.
    private func sign(_ input: OpaquePointer, size: Int64? = nil) throws(ServerIdentityError) -> [UInt8] {
        guard let parsed = PEM.readCertificate(certificate) else { throw Self.failed }
        defer { X509_free(parsed) }
        guard let key = PEM.readPrivateKey(privateKey) else { throw Self.failed }
        defer { EVP_PKEY_free(key) }
        guard let message = CMS_sign(parsed, key, nil, nil, Self.flags | UInt32(CMS_PARTIAL)) else { throw Self.failed }
        defer { CMS_ContentInfo_free(message) }
        // The content goes through a chain of hashes piece by piece: it may be larger than memory.
        guard let chain = CMS_dataInit(message, nil) else { throw Self.failed }
        defer { BIO_free_all(chain) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var left = size ?? .max
        while left > 0 {
            let count = BIO_read(input, &buffer, Int32(min(Int64(buffer.count), left)))
            guard count > 0 else { break }
            guard BIO_write(chain, buffer, count) == count else { throw Self.failed }
            left -= Int64(count)
        }
        guard size == nil || left == 0 else { throw ServerIdentityError("the file is shorter than it was") }
        guard BIO_ctrl(chain, BIO_CTRL_FLUSH, 0, nil) == 1, CMS_dataFinal(message, chain) == 1 else {
            throw Self.failed
        }
        var output: UnsafeMutablePointer<UInt8>?
        let count = i2d_CMS_ContentInfo(message, &output)
        guard count > 0, let output else { throw Self.failed }
        defer { CRYPTO_free(output, #fileID, #line) }
        return Array(UnsafeBufferPointer(start: output, count: Int(count)))
    }

    package var description: String { "BootKey(\(fingerprint))" }

    /// Has no children: dumps and logs never show the key.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
