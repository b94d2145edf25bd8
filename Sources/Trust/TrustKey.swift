internal import COpenSSL

/// A key that signatures are verified with, and what is said about it. It holds no secret.
package struct TrustKey: Sendable, Hashable {
    /// The namespace of SSH signatures over manifests.
    package static let manifestNamespace = SSHSignature.manifestNamespace

    /// How rules and commands call it.
    package let name: String
    /// Whom it belongs to: several keys of one identity count as one signer.
    package let identity: String
    package let format: SignatureFormat
    /// What tells it from every other key, in the form that its tool prints.
    package let fingerprint: String
    /// The key itself: a minisign or SSH line, PEM, or an OpenPGP fingerprint.
    package let text: String
    /// Of OpenPGP: the certificates that gpgv looks for the key in, binary; empty for any other.
    package let keyring: [UInt8]
    /// Seconds since 1970: signatures that came in before, or from then on, do not count.
    package let validAfter: Int64?
    package let validBefore: Int64?
    /// Of SSH: namespaces whose signatures count; nil for the one that `artifactctl sign` uses.
    package let namespaces: [String]?
    let material: Material

    enum Material: Sendable, Hashable {
        case minisign(MinisignKey)
        case ssh(SSHPublicKey)
        case cosign(CosignKey)
        case x509(X509Anchor)
        case openpgp(OpenPGPKey)
    }

    /// `name` is 1 to 64 letters, digits and `.`, `_`, `-`, `@`, `+`, a letter or digit first; `identity` nil for the name.
    /// `text` is as the tool of the format writes public keys, of OpenPGP the primary key's fingerprint, and `keyring`
    /// armoured or binary.
    /// - Throws: `TrustError` (`invalidKey`).
    package init(
        name: String, identity: String? = nil, format: SignatureFormat, text: String, keyring: [UInt8] = [],
        validAfter: Int64? = nil, validBefore: Int64? = nil, namespaces: [String]? = nil
    ) throws(TrustError) {
        guard Self.isName(name) else {
            throw TrustError(
                .invalidKey, "'\(name)' is no name of a key: write 1 to 64 letters, digits and any of . _ - @ +")
        }
        let identity = identity ?? name
        guard !identity.isEmpty, identity.utf8.count <= 200, identity.utf8.allSatisfy({ $0 > 32 && $0 != 127 }) else {
            throw TrustError(.invalidKey, "'\(identity)' is no identity: write one word, such as me@example.net")
        }
        if let validAfter, let validBefore, validAfter >= validBefore {
            throw TrustError(.invalidKey, "the key '\(name)' is valid at no time: it ends before it begins")
        }
        guard keyring.isEmpty || format == .openpgp else {
            throw TrustError(.invalidKey, "a keyring belongs to OpenPGP keys only")
        }
        guard namespaces == nil || format == .ssh else {
            throw TrustError(.invalidKey, "namespaces belong to SSH keys only")
        }
        self.name = name
        self.identity = identity
        self.format = format
        self.validAfter = validAfter
        self.validBefore = validBefore
        self.namespaces = namespaces
        switch format {
        case .minisign:
            let key = try MinisignKey(text)
            (material, self.text, fingerprint) = (.minisign(key), key.text, key.text)
        case .ssh:
            let key = try SSHPublicKey(text)
            (material, self.text, fingerprint) = (.ssh(key), key.text, key.fingerprint)
        case .cosign:
            let key = try CosignKey(pem: text)
            (material, self.text, fingerprint) = (.cosign(key), text, key.fingerprint)
        case .x509:
            let anchor = try X509Anchor(pem: text)
            (material, self.text, fingerprint) = (.x509(anchor), text, anchor.fingerprint)
        case .openpgp:
            let key = try OpenPGPKey(fingerprint: text, keyring: keyring)
            (material, self.text, fingerprint) = (.openpgp(key), key.fingerprint, key.fingerprint)
        }
        if case .openpgp(let key) = material { self.keyring = key.keyring } else { self.keyring = [] }
    }

    /// A key of an allowed_signers line, under a name of ours.
    package init(name: String, signer: AllowedSigner) throws(TrustError) {
        try self.init(
            name: name, identity: signer.principals, format: .ssh, text: signer.key.text,
            validAfter: signer.validAfter, validBefore: signer.validBefore, namespaces: signer.namespaces)
    }

    package static func isName(_ text: String) -> Bool {
        func isWord(_ byte: UInt8) -> Bool {
            let character = Character(Unicode.Scalar(byte))
            return byte < 128 && (character.isLetter || character.isNumber)
        }
        return (1...64).contains(text.utf8.count) && text.utf8.first.map(isWord) == true
            && text.utf8.allSatisfy { isWord($0) || Array("._-@+".utf8).contains($0) }
    }

    /// Why a signature that came in at a time does not count; nil when it does.
    func validityFault(at time: Int64) -> String? {
        if let validAfter, time < validAfter { return "its key is valid from \(TrustDate.text(validAfter)) on only" }
        if let validBefore, time >= validBefore { return "its key expired on \(TrustDate.text(validBefore))" }
        return nil
    }
}
