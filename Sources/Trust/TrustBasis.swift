package import Artifacts

/// A key that counts no more.
package struct Revocation: Sendable, Hashable, Codable {
    package var format: SignatureFormat
    package var fingerprint: String
    /// Seconds since 1970.
    package var revokedAt: Int64
    package var reason: String

    package init(format: SignatureFormat, fingerprint: String, revokedAt: Int64, reason: String) {
        self.format = format
        self.fingerprint = fingerprint
        self.revokedAt = revokedAt
        self.reason = reason
    }
}

/// What verdicts rest on beside signatures: rules, keys, and the keys among them that are revoked.
package struct TrustBasis: Sendable, Hashable {
    package let rules: [TrustRule]
    package let keys: [TrustKey]
    private let revocations: [String: Revocation]

    /// `added`: keys beside those of the policy. One with the name of a policy's key is left out: the site file
    ///   has the last word.
    package init(policy: TrustPolicy, added: [TrustKey] = [], revocations: [Revocation] = []) {
        rules = policy.rules
        var names = Set(policy.keys.map(\.name))
        keys = policy.keys + added.filter { names.insert($0.name).inserted }
        self.revocations = Dictionary(revocations.map { (Self.place($0.format, $0.fingerprint), $0) }) { first, _ in
            first
        }
    }

    private static func place(_ format: SignatureFormat, _ fingerprint: String) -> String {
        "\(format.rawValue) \(fingerprint)"
    }

    package func revocation(of key: TrustKey) -> Revocation? { revocations[Self.place(key.format, key.fingerprint)] }

    package func rules(for name: ArtifactName) -> [TrustRule] { rules.filter { $0.applies(to: name) } }

    /// The keys that a name's rules accept.
    package func keys(for name: ArtifactName) -> [TrustKey] {
        let rules = rules(for: name)
        return keys.filter { key in rules.contains { $0.accepts(key) } }
    }

    /// Tells whether two bases judge a name alike: what was judged on one holds on the other then.
    package func digest(for name: ArtifactName) -> Digest {
        let rules = rules(for: name)
        guard !rules.isEmpty else { return .empty }
        var lines: [String] = []
        for rule in rules {
            lines.append(
                "rule \(rule.paths) \(rule.signers) \(rule.threshold) \(rule.maximumAge ?? -1) \(rule.onMissing.rawValue)"
            )
        }
        for key in keys(for: name) {
            lines.append(
                "key \(key.name) \(key.identity) \(key.format.rawValue) \(key.text) \(key.validAfter ?? -1) \(key.validBefore ?? -1) \(key.namespaces ?? []) \(SHA256.digest(of: key.keyring)) \(revocation(of: key).map { "\($0.revokedAt)" } ?? "")"
            )
        }
        return SHA256.digest(of: lines.joined(separator: "\n").utf8)
    }
}
