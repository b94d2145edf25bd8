internal import COpenSSL

/// What a verifier says of one signature. An OpenPGP file may hold several.
struct SignatureCheck: Sendable {
    var key: TrustKey?
    var signedAt: Int64?
    var tool: String
    var fault: String?
}

/// Tells whose a signature is. Everything but OpenPGP is verified in process.
struct SignatureVerifier: Sendable {
    let openPGP: any OpenPGPVerifying

    /// `libcrypto 3.0.17`.
    static let tool: String = {
        let words = String(cString: OpenSSL_version(OPENSSL_VERSION)).split(separator: " ")
        return "libcrypto " + (words.count > 1 ? words[1] : "")
    }()

    /// At least one check: a signature that cannot be read is one with a fault.
    /// `time`: seconds since 1970, when the signature came in.
    func check(
        _ bytes: [UInt8], _ format: SignatureFormat, over content: SignedContent, keys: [TrustKey], at time: Int64
    ) async -> [SignatureCheck] {
        do throws(TrustError) {
            switch format {
            case .minisign: return [try minisign(bytes, content, keys)]
            case .ssh: return [try ssh(bytes, content, keys)]
            case .cosign: return [try cosign(bytes, content, keys)]
            case .x509: return [try x509(bytes, content, keys, time)]
            case .openpgp: return try await openPGP(bytes, content, keys).checks
            }
        } catch {
            return [SignatureCheck(tool: Self.tool, fault: error.message)]
        }
    }

    private func minisign(_ bytes: [UInt8], _ content: SignedContent, _ keys: [TrustKey]) throws(TrustError)
        -> SignatureCheck
    {
        let signature = try MinisignSignature(bytes)
        var check = SignatureCheck(signedAt: signature.signedAt, tool: Self.tool)
        for key in keys {
            guard case .minisign(let material) = key.material, material.identifier == signature.identifier else {
                continue
            }
            check.fault = try signature.fault(by: material, over: content)
            check.key = key
            // Eight bytes may be those of another key, too.
            if check.fault == nil { return check }
        }
        if check.key == nil {
            let name = signature.identifier.reversed().map { byte in
                let digits = String(byte, radix: 16, uppercase: true)
                return digits.count == 1 ? "0" + digits : digits
            }.joined()
            check.fault = "its minisign key \(name) is not known here"
        }
        return check
    }

    private func ssh(_ bytes: [UInt8], _ content: SignedContent, _ keys: [TrustKey]) throws(TrustError)
        -> SignatureCheck
    {
        let signature = try SSHSignature(bytes)
        var check = SignatureCheck(tool: Self.tool, fault: try signature.fault(over: content))
        check.key = keys.first { key in
            guard case .ssh(let material) = key.material else { return false }
            return material == signature.key
        }
        guard check.fault == nil else { return check }
        guard let key = check.key else {
            check.fault = "its SSH key \(signature.key.fingerprint) is not known here"
            return check
        }
        let namespaces = key.namespaces ?? [SSHSignature.manifestNamespace]
        if !namespaces.contains(signature.namespace) {
            check.fault =
                "it is for the namespace '\(signature.namespace)', and its key signs for '\(namespaces.joined(separator: "', '"))' here"
        }
        return check
    }

    private func cosign(_ bytes: [UInt8], _ content: SignedContent, _ keys: [TrustKey]) throws(TrustError)
        -> SignatureCheck
    {
        let signature = try CosignSignature(bytes)
        var isAny = false
        for key in keys {
            guard case .cosign(let material) = key.material else { continue }
            isAny = true
            if try signature.fault(by: material, over: content) == nil {
                return SignatureCheck(key: key, tool: Self.tool)
            }
        }
        return SignatureCheck(
            tool: Self.tool,
            fault: isAny
                ? "it is no signature of these bytes by any cosign key that is known here"
                : "no cosign key is known here")
    }

    private func x509(_ bytes: [UInt8], _ content: SignedContent, _ keys: [TrustKey], _ time: Int64)
        throws(TrustError) -> SignatureCheck
    {
        let signature = try CMSSignature(bytes)
        var last: String?
        for key in keys {
            guard case .x509(let anchor) = key.material else { continue }
            guard let fault = signature.fault(by: anchor, over: content, at: time) else {
                return SignatureCheck(key: key, tool: Self.tool)
            }
            last = fault
        }
        return SignatureCheck(tool: Self.tool, fault: last ?? "no certificate is known here")
    }

    /// - Returns: of a clear-signed text also what is signed; nil when no signature of it is by a key that is known.
    func clearSigned(_ content: SignedContent, keys: [TrustKey]) async -> (checks: [SignatureCheck], text: [UInt8]?) {
        do throws(TrustError) {
            return try await openPGP(nil, content, keys)
        } catch {
            return ([SignatureCheck(tool: "gpgv", fault: error.message)], nil)
        }
    }

    private func openPGP(_ bytes: [UInt8]?, _ content: SignedContent, _ keys: [TrustKey]) async throws(TrustError)
        -> (checks: [SignatureCheck], text: [UInt8]?)
    {
        if let bytes {
            let start = String(decoding: bytes.prefix(40), as: UTF8.self)
            if start.hasPrefix("-----BEGIN PGP MESSAGE-----") || start.hasPrefix("-----BEGIN PGP SIGNED MESSAGE-----") {
                throw TrustError(
                    .invalidSignature,
                    "it is a message with its content inside, not a detached signature: use 'gpg --detach-sign'")
            }
        }
        var known: [String: TrustKey] = [:]
        var keyring: [UInt8] = []
        var seen: Set<[UInt8]> = []
        for key in keys {
            guard case .openpgp(let material) = key.material else { continue }
            known[material.fingerprint] = key
            if seen.insert(material.keyring).inserted { keyring += material.keyring }
        }
        guard !known.isEmpty else { throw TrustError(.invalidSignature, "no OpenPGP key is known here") }
        let result: OpenPGPResult
        do throws(OpenPGPUnavailable) {
            result = try await openPGP.verify(bytes, over: content, keyring: keyring)
        } catch {
            throw TrustError(.failure, "unverified: \(error.description)")
        }
        var checks = result.status.signatures.map { signature in
            var check = SignatureCheck(
                key: signature.fingerprint.flatMap { known[$0] }, signedAt: signature.signedAt, tool: result.tool,
                fault: signature.fault)
            if check.fault == nil, check.key == nil {
                check.fault =
                    "its key \(signature.fingerprint ?? "") is in a keyring, but no key here has that fingerprint"
            }
            return check
        }
        // Of a known key, a bad word about one signature spoils the file: who changed one could have changed the rest.
        if let bad = checks.first(where: { $0.key != nil && $0.fault != nil }) {
            for index in checks.indices where checks[index].fault == nil {
                checks[index].fault =
                    "beside it is one of \(bad.key?.name ?? "") of which gpgv says: \(bad.fault ?? "")"
            }
        }
        if checks.isEmpty {
            checks = [SignatureCheck(tool: result.tool, fault: "gpgv finds no signature in it")]
        }
        return (checks, checks.contains { $0.fault == nil } ? result.text : nil)
    }
}
