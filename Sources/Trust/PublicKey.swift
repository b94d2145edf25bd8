internal import Artifacts
internal import COpenSSL

/// A public key of libcrypto, owned.
final class PublicKey {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }

    /// An Ed25519 key (RFC 8032): 32 bytes.
    static func ed25519(_ bytes: [UInt8]) -> PublicKey? {
        guard bytes.count == 32 else { return nil }
        return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count).map(PublicKey.init)
    }

    /// An RSA key by its exponent and modulus, big-endian.
    static func rsa(exponent: [UInt8], modulus: [UInt8]) -> PublicKey? {
        guard let builder = OSSL_PARAM_BLD_new() else { return nil }
        defer { OSSL_PARAM_BLD_free(builder) }
        guard let n = BN_bin2bn(modulus, Int32(modulus.count), nil) else { return nil }
        defer { BN_free(n) }
        guard let e = BN_bin2bn(exponent, Int32(exponent.count), nil) else { return nil }
        defer { BN_free(e) }
        // The builder keeps pointers to names and values: they must live until the key is made.
        return OSSL_PKEY_PARAM_RSA_N.withCString { nName in
            OSSL_PKEY_PARAM_RSA_E.withCString { eName in
                guard OSSL_PARAM_BLD_push_BN(builder, nName, n) == 1, OSSL_PARAM_BLD_push_BN(builder, eName, e) == 1
                else { return nil }
                return make("RSA", builder)
            }
        }
    }

    /// A key on a NIST curve by libcrypto's name of the curve and the uncompressed point (SEC 1 section 2.3.3). The point
    /// is checked to be on the curve.
    static func ellipticCurve(_ curve: String, point: [UInt8]) -> PublicKey? {
        guard point.first == 4, let builder = OSSL_PARAM_BLD_new() else { return nil }
        defer { OSSL_PARAM_BLD_free(builder) }
        let key = OSSL_PKEY_PARAM_GROUP_NAME.withCString { groupName in
            OSSL_PKEY_PARAM_PUB_KEY.withCString { pointName in
                curve.withCString { curve in
                    point.withUnsafeBytes { point -> PublicKey? in
                        guard OSSL_PARAM_BLD_push_utf8_string(builder, groupName, curve, 0) == 1,
                            OSSL_PARAM_BLD_push_octet_string(builder, pointName, point.baseAddress, point.count) == 1
                        else { return nil }
                        return make("EC", builder)
                    }
                }
            }
        }
        guard let key, let context = EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        return EVP_PKEY_public_check(context) == 1 ? key : nil
    }

    private static func make(_ type: String, _ builder: OpaquePointer) -> PublicKey? {
        guard let parameters = OSSL_PARAM_BLD_to_param(builder) else { return nil }
        defer { OSSL_PARAM_free(parameters) }
        guard let context = EVP_PKEY_CTX_new_from_name(nil, type, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_fromdata_init(context) == 1,
            EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY_SELECTION, parameters) == 1
        else { return nil }
        return key.map(PublicKey.init)
    }

    /// A key in DER form (RFC 5280 section 4.1, SubjectPublicKeyInfo); nil when anything follows it.
    static func subjectPublicKeyInfo(_ der: [UInt8]) -> PublicKey? {
        der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            guard let key = d2i_PUBKEY(nil, &cursor, der.count) else { return nil }
            guard cursor == buffer.baseAddress.map({ $0 + der.count }) else {
                EVP_PKEY_free(key)
                return nil
            }
            return PublicKey(key)
        }
    }

    /// What libcrypto calls the kind: `RSA`, `EC`, `ED25519`.
    func isKind(_ name: String) -> Bool { EVP_PKEY_is_a(pointer, name) == 1 }

    /// Bits of security-relevant size: of the modulus, of the curve.
    var bits: Int { Int(EVP_PKEY_get_bits(pointer)) }

    /// Whether a signature over bytes is the key's. `hash` is nil for Ed25519, which has its own.
    func verifies(_ signature: [UInt8], over message: [UInt8], hash: SignedContent.Hash?) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit(context, nil, hash?.algorithm, nil, pointer) == 1 else { return false }
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// Whether a signature over content with this hash is the key's, where only the hash is at hand. For Ed25519 there is
    /// no such thing.
    func verifies(_ signature: [UInt8], overHash digest: [UInt8], _ hash: SignedContent.Hash) -> Bool {
        guard let context = EVP_PKEY_CTX_new_from_pkey(nil, pointer, nil) else { return false }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_verify_init(context) == 1,
            EVP_PKEY_CTX_set_signature_md(context, hash.algorithm) == 1
        else { return false }
        return EVP_PKEY_verify(context, signature, signature.count, digest, digest.count) == 1
    }
}
