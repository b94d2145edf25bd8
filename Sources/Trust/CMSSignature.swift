internal import Artifacts
internal import COpenSSL
internal import Glibc

/// A certificate that signers are trusted by: their own, or that of the authority which issued theirs.
struct X509Anchor: Sendable, Hashable {
    let der: [UInt8]

    /// - Throws: `TrustError` (`invalidKey`).
    init(pem text: String) throws(TrustError) {
        guard let der = PEMBlock.decode(text, label: "CERTIFICATE"), let certificate = X509Certificate(der: der) else {
            throw TrustError(.invalidKey, "it is no PEM certificate: one 'BEGIN CERTIFICATE' block is expected")
        }
        guard let key = certificate.key, !key.isKind("RSA") || key.bits >= SSHPublicKey.minimumBits else {
            throw TrustError(.invalidKey, "the certificate's RSA key is too small: 2048 bits are the least")
        }
        self.der = der
    }

    var fingerprint: String { "SHA256:" + SHA256.digest(of: der).hex }
}

/// A certificate of libcrypto, owned.
final class X509Certificate {
    let pointer: OpaquePointer

    init?(der: [UInt8]) {
        let parsed = der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return d2i_X509(nil, &cursor, der.count)
        }
        guard let parsed else { return nil }
        pointer = parsed
    }

    deinit { X509_free(pointer) }

    var key: PublicKey? {
        guard let key = X509_get0_pubkey(pointer), EVP_PKEY_up_ref(key) == 1 else { return nil }
        return PublicKey(key)
    }
}

/// A detached CMS signature (RFC 5652), in PEM or DER, as `openssl cms -sign -binary` makes it.
final class CMSSignature {
    private let message: OpaquePointer

    /// - Throws: `TrustError` (`invalidSignature`), also for one with the content inside.
    init(_ bytes: [UInt8]) throws(TrustError) {
        guard bytes.count <= 1 << 20 else {
            throw TrustError(.invalidSignature, "the CMS signature is larger than 1 MiB")
        }
        var der = bytes
        if bytes.first == UInt8(ascii: "-") {
            let text = String(decoding: bytes, as: UTF8.self)
            guard let block = PEMBlock.decode(text, label: "CMS") ?? PEMBlock.decode(text, label: "PKCS7") else {
                throw TrustError(.invalidSignature, "it is no CMS signature: the PEM block is damaged")
            }
            der = block
        }
        let parsed = der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var cursor = buffer.baseAddress
            guard let parsed = d2i_CMS_ContentInfo(nil, &cursor, der.count) else { return nil }
            guard cursor == buffer.baseAddress.map({ $0 + der.count }) else {
                CMS_ContentInfo_free(parsed)
                return nil
            }
            return parsed
        }
        ERR_clear_error()
        guard let parsed else {
            throw TrustError(.invalidSignature, "it is no CMS signature, neither in PEM nor in DER")
        }
        message = parsed
        guard OBJ_obj2nid(CMS_get0_type(message)) == NID_pkcs7_signed else {
            throw TrustError(.invalidSignature, "the CMS message is not a signature")
        }
        guard CMS_is_detached(message) == 1 else {
            throw TrustError(
                .invalidSignature,
                "the CMS signature holds its content: sign with 'openssl cms -sign -binary', which detaches it")
        }
    }

    deinit { CMS_ContentInfo_free(message) }

    /// Why it does not show that somebody whom the anchor vouches for signed the content; nil when it does. All of its
    /// signers must be such.
    /// The anchor is the signer's own certificate, or that of an authority above it; certificates must be valid at `time`,
    /// seconds since 1970.
    func fault(by anchor: X509Anchor, over content: SignedContent, at time: Int64) -> String? {
        defer { ERR_clear_error() }
        if let weak = weakHash { return "it rests on \(weak), which is too weak: sign with SHA-256 or better" }
        guard let certificate = X509Certificate(der: anchor.der), let store = X509_STORE_new() else {
            return "its certificate is damaged"
        }
        defer { X509_STORE_free(store) }
        X509_STORE_add_cert(store, certificate.pointer)
        if let parameters = X509_STORE_get0_param(store) {
            X509_VERIFY_PARAM_set_time(parameters, time_t(time))
            // A pinned certificate is an anchor whoever issued it, and whatever else it may be used for.
            X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN))
            X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY)
        }
        guard let input = Self.input(content) else { return "the content cannot be read" }
        defer { BIO_free(input) }
        // The anchor may be the signer's own certificate, which the message need not hold.
        let known = OPENSSL_sk_new_null()
        defer { OPENSSL_sk_free(known) }
        OPENSSL_sk_push(known, UnsafeRawPointer(certificate.pointer))
        if CMS_verify(message, known, store, input, nil, UInt32(CMS_BINARY)) == 1 { return nil }
        let reason = ERR_reason_error_string(ERR_peek_last_error()).map { String(cString: $0) } ?? "it does not verify"
        var data: UnsafePointer<CChar>?
        var flags: Int32 = 0
        _ = ERR_peek_last_error_all(nil, nil, nil, &data, &flags)
        let detail = flags & ERR_TXT_STRING != 0 ? data.map { String(cString: $0) } ?? "" : ""
        return detail.isEmpty ? reason : "\(reason) (\(detail))"
    }

    private static func input(_ content: SignedContent) -> OpaquePointer? {
        switch content {
        case .file(let path): return BIO_new_file(path, "r")
        case .bytes(let bytes):
            guard let input = BIO_new(BIO_s_mem()) else { return nil }
            guard bytes.isEmpty || BIO_write(input, bytes, Int32(bytes.count)) == Int32(bytes.count) else {
                BIO_free(input)
                return nil
            }
            return input
        }
    }

    /// The first hash below SHA-256 that a signer used.
    private var weakHash: String? {
        let signers = CMS_get0_SignerInfos(message)
        for index in 0..<max(0, OPENSSL_sk_num(signers)) {
            guard let raw = OPENSSL_sk_value(signers, index) else { continue }
            var hash: UnsafeMutablePointer<X509_ALGOR>?
            CMS_SignerInfo_get0_algs(OpaquePointer(raw), nil, nil, &hash, nil)
            var object: OpaquePointer?
            X509_ALGOR_get0(&object, nil, nil, hash)
            let number = OBJ_obj2nid(object)
            let strong = [
                NID_sha256, NID_sha384, NID_sha512, NID_sha3_256, NID_sha3_384, NID_sha3_512, NID_sha512_256,
            ]
            if !strong.contains(number) { return OBJ_nid2sn(number).map { String(cString: $0) } ?? "an unknown hash" }
        }
        return nil
    }
}
