package import Artifacts
package import Trust

/// `GET /api/v1/verdicts/{version}`: whether a version may boot, and why.
package struct VerdictReport: Codable, Hashable, Sendable {
    package var name: String
    /// Of the manifest.
    package var digest: Digest
    /// Missing while it is still to be made.
    package var verdict: Verdict?

    package init(name: String, digest: Digest, verdict: Verdict?) {
        self.name = name
        self.digest = digest
        self.verdict = verdict
    }
}

/// `GET /api/v1/trust`: keys and rules as they stand.
package struct TrustReport: Codable, Hashable, Sendable {
    package var keys: [TrustKeyReport]
    package var rules: [TrustRuleReport]

    package init(keys: [TrustKeyReport], rules: [TrustRuleReport]) {
        self.keys = keys
        self.rules = rules
    }
}

/// One key, as lists show it.
package struct TrustKeyReport: Codable, Hashable, Sendable {
    package var name: String
    package var identity: String
    package var format: SignatureFormat
    package var fingerprint: String
    /// `site` for one of the site file, `added` by an operator, `package` for one that comes with the server.
    package var source: String
    /// Seconds since 1970.
    package var addedAt: Int64?
    package var validAfter: Int64?
    package var validBefore: Int64?
    package var revokedAt: Int64?
    package var revocationReason: String?
    /// How many rules count its signatures.
    package var ruleCount: Int

    package init(
        name: String, identity: String, format: SignatureFormat, fingerprint: String, source: String, addedAt: Int64?,
        validAfter: Int64?, validBefore: Int64?, revokedAt: Int64?, revocationReason: String?, ruleCount: Int
    ) {
        self.name = name
        self.identity = identity
        self.format = format
        self.fingerprint = fingerprint
        self.source = source
        self.addedAt = addedAt
        self.validAfter = validAfter
        self.validBefore = validBefore
        self.revokedAt = revokedAt
        self.revocationReason = revocationReason
        self.ruleCount = ruleCount
    }
}

/// One rule of the site file, as lists show it.
package struct TrustRuleReport: Codable, Hashable, Sendable {
    package var artifacts: [NamePattern]
    package var paths: [String]
    package var signers: [String]
    package var threshold: Int
    /// Seconds.
    package var maximumAge: Int64?
    package var onMissing: MissingSignature

    package init(_ rule: TrustRule) {
        artifacts = rule.names
        paths = rule.paths.map(\.description)
        signers = rule.signers
        threshold = rule.threshold
        maximumAge = rule.maximumAge
        onMissing = rule.onMissing
    }
}

/// `POST /api/v1/trust/keys`: a key to add. It holds no secret.
package struct TrustKeyRequest: Codable, Hashable, Sendable {
    package var name: String
    package var identity: String?
    package var format: SignatureFormat
    /// A minisign or SSH line, PEM, or an OpenPGP fingerprint.
    package var key: String
    /// Of OpenPGP: the armoured certificate.
    package var keyring: String?
    /// Seconds since 1970.
    package var validAfter: Int64?
    package var validBefore: Int64?
    package var namespaces: [String]?

    package init(
        name: String, identity: String? = nil, format: SignatureFormat, key: String, keyring: String? = nil,
        validAfter: Int64? = nil, validBefore: Int64? = nil, namespaces: [String]? = nil
    ) {
        self.name = name
        self.identity = identity
        self.format = format
        self.key = key
        self.keyring = keyring
        self.validAfter = validAfter
        self.validBefore = validBefore
        self.namespaces = namespaces
    }
}

/// `POST /api/v1/trust/revocations`: a key that counts no more, for good.
package struct RevocationRequest: Codable, Hashable, Sendable {
    package var key: String
    package var reason: String

    package init(key: String, reason: String) {
        self.key = key
        self.reason = reason
    }
}
