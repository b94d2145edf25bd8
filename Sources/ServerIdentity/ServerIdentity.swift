package import Artifacts
internal import COpenSSL

/// The control plane's own certificate authority, for this server alone: its certificate is what a client pins. Made once,
/// at the first start; the certificate that the listener shows is issued by it at every start, for the names of that time.
///
/// Its validity begins in 1970 and never ends (RFC 5280 section 4.1.2.5: 99991231235959Z), so that a machine without a
/// battery clock is believed too: trust rests on the fingerprint, not on dates.
package struct ServerIdentity: Sendable, CustomStringConvertible, CustomReflectable {
    /// PEM.
    package let certificate: String
    /// PEM, PKCS #8. A secret.
    package let privateKey: String
    /// SHA-256 of the certificate's DER form.
    package let fingerprint: Digest
    /// False for one of version 0.2, which is shown itself and issues nothing.
    package let isAuthority: Bool

    /// Reads what was stored.
    /// - Throws: `ServerIdentityError` when one of the two is damaged, or they do not belong together.
    package init(certificate: String, privateKey: String) throws(ServerIdentityError) {
        (fingerprint, isAuthority) = try CertificatePair.check(certificate: certificate, privateKey: privateKey)
        self.certificate = certificate
        self.privateKey = privateKey
    }

    /// A new P-256 key with the certificate of an authority.
    /// - Throws: `ServerIdentityError` when libcrypto cannot make one.
    package static func make() throws(ServerIdentityError) -> ServerIdentity {
        guard let key = makeKey(), let number = RandomBytes.make(4) else {
            throw ServerIdentityError("libcrypto makes no P-256 key on this machine")
        }
        defer { EVP_PKEY_free(key) }
        // Two servers' authorities have two names: a client that trusts both finds the right one.
        let certificate = try makeCertificate(
            for: key, name: "provisioner authority \(Hexadecimal.encode(number))",
            extensions: [
                (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"), (NID_key_usage, "critical,keyCertSign"),
            ],
            issuer: nil, issuerKey: key)
        return try ServerIdentity(certificate: certificate, privateKey: try text(of: key))
    }

    /// A new key with a certificate for the names and IP addresses that clients call the server by.
    /// - Throws: `ServerIdentityError` when this is no authority, or libcrypto cannot make one.
    package func issue(names: [String], addresses: [String]) throws(ServerIdentityError) -> ServerCertificate {
        guard isAuthority, let issuer = PEM.readCertificate(certificate), let issuerKey = PEM.readPrivateKey(privateKey)
        else { throw ServerIdentityError("this identity is no authority: it issues nothing") }
        defer {
            X509_free(issuer)
            EVP_PKEY_free(issuerKey)
        }
        guard let key = Self.makeKey() else {
            throw ServerIdentityError("libcrypto makes no P-256 key on this machine")
        }
        defer { EVP_PKEY_free(key) }
        let subjects = names.map { "DNS:\($0)" } + addresses.map { "IP:\($0)" }
        var extensions = [(NID_basic_constraints, "critical,CA:FALSE"), (NID_ext_key_usage, "serverAuth")]
        if !subjects.isEmpty { extensions.append((NID_subject_alt_name, subjects.joined(separator: ","))) }
        let certificate = try Self.makeCertificate(
            for: key, name: "provisioner", extensions: extensions, issuer: issuer, issuerKey: issuerKey)
        return ServerCertificate(certificate: certificate, privateKey: try Self.text(of: key))
    }

    static func text(of key: OpaquePointer) throws(ServerIdentityError) -> String {
        guard let text = PEM.text({ PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) }) else {
            throw ServerIdentityError("libcrypto writes no key on this machine")
        }
        return text
    }

    /// PEM.
    static func makeCertificate(
        for key: OpaquePointer, name: String, extensions: [(Int32, String)], issuer: OpaquePointer?,
        issuerKey: OpaquePointer
    ) throws(ServerIdentityError) -> String {
        guard let certificate = X509_new() else { throw ServerIdentityError("out of memory") }
        defer { X509_free(certificate) }
        guard let serial = RandomBytes.make(16), let subject = X509_get_subject_name(certificate),
            X509_set_version(certificate, 2) == 1,
            ASN1_STRING_set(X509_get_serialNumber(certificate), [serial[0] & 0x7f | 1] + serial[1...], 16) == 1,
            ASN1_TIME_set_string(X509_getm_notBefore(certificate), "19700101000000Z") == 1,
            ASN1_TIME_set_string(X509_getm_notAfter(certificate), "99991231235959Z") == 1,
            X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name, -1, -1, 0) == 1,
            X509_set_issuer_name(certificate, issuer.map { X509_get_subject_name($0) } ?? subject) == 1,
            X509_set_pubkey(certificate, key) == 1,
            extensions.allSatisfy({ addExtension(certificate, $0.0, $0.1) }),
            X509_sign(certificate, issuerKey, EVP_sha256()) > 0,
            let text = PEM.text({ PEM_write_bio_X509($0, certificate) })
        else { throw ServerIdentityError("libcrypto makes no certificate on this machine") }
        return text
    }

    /// The common name of a certificate's subject, in DER form; nil where it has none, or one that cannot be shown.
    package static func commonName(der: [UInt8]) -> String? {
        let parsed = der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var start = buffer.baseAddress
            return d2i_X509(nil, &start, buffer.count)
        }
        guard let parsed else { return nil }
        defer { X509_free(parsed) }
        guard let subject = X509_get_subject_name(parsed) else { return nil }
        let index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard index >= 0, let entry = X509_NAME_get_entry(subject, index), let value = X509_NAME_ENTRY_get_data(entry)
        else { return nil }
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&bytes, value)
        guard count > 0, let bytes else { return nil }
        defer { CRYPTO_free(bytes, #fileID, #line) }
        let text = String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
        let isVisible = text.unicodeScalars.allSatisfy {
            ![.control, .format].contains($0.properties.generalCategory)
        }
        return isVisible && text.utf8.count <= 200 ? text : nil
    }

    /// The fingerprint of a certificate in DER form: what a client compares.
    package static func fingerprint(der: some Sequence<UInt8>) -> Digest { SHA256.digest(of: der) }

    /// The same of one in PEM form.
    /// - Throws: `ServerIdentityError` when it is damaged.
    package static func fingerprint(certificate: String) throws(ServerIdentityError) -> Digest {
        guard let parsed = PEM.readCertificate(certificate) else {
            throw ServerIdentityError("the certificate is damaged")
        }
        defer { X509_free(parsed) }
        return try fingerprint(of: parsed)
    }

    private static func makeKey() -> OpaquePointer? {
        guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1,
            EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            EVP_PKEY_generate(context, &key) == 1
        else { return nil }
        return key
    }

    private static func addExtension(_ certificate: OpaquePointer, _ identifier: Int32, _ value: String) -> Bool {
        guard let item = X509V3_EXT_conf_nid(nil, nil, identifier, value) else { return false }
        defer { X509_EXTENSION_free(item) }
        return X509_add_ext(certificate, item, -1) == 1
    }

    static func fingerprint(of certificate: OpaquePointer) throws(ServerIdentityError) -> Digest {
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509(certificate, &bytes)
        guard count > 0, let bytes else { throw ServerIdentityError("the certificate is damaged") }
        defer { CRYPTO_free(bytes, #fileID, #line) }
        return fingerprint(der: UnsafeBufferPointer(start: bytes, count: Int(count)))
    }

    package var description: String { "ServerIdentity(\(fingerprint))" }

    /// Has no children: dumps and logs of values that hold an identity never show the key.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// What a listener shows, and its key; issued by a `ServerIdentity`, for one start of the server.
package struct ServerCertificate: Sendable, CustomStringConvertible, CustomReflectable {
    /// PEM.
    package let certificate: String
    /// PEM, PKCS #8. A secret.
    package let privateKey: String

    package var description: String { "ServerCertificate" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why there is no usable server identity.
package struct ServerIdentityError: Error, Equatable, Sendable, CustomStringConvertible {
    package let message: String

    init(_ message: String) { self.message = message }

    package var description: String { message }
}
