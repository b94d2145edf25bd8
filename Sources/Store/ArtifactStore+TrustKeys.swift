internal import Artifacts
internal import GRDB
internal import Synchronization
package import Trust

/// A key with all that is known of it, for lists.
package struct KnownKey: Sendable {
    package enum Source: String, Sendable {
        case site, added, package
    }

    package let key: TrustKey
    package let source: Source
    /// Seconds since 1970, of a key that was added.
    package let addedAt: Int64?
    package let revocation: Revocation?
    /// How many rules count its signatures.
    package let ruleCount: Int
}

/// Keys beside those of the site file, and the end of any key.
extension ArtifactStore {
    /// Every key: those of the site file first.
    package func trustKeys() -> [KnownKey] {
        let state = trust.withLock { $0 }
        let basis = state.basis
        let dates = Dictionary(state.added.map { ($0.key.name, $0.addedAt) }) { first, _ in first }
        let own = Set(state.policy.keys.map(\.name))
        return basis.keys.map { key in
            KnownKey(
                key: key, source: own.contains(key.name) ? .site : dates[key.name] != nil ? .added : .package,
                addedAt: own.contains(key.name) ? nil : dates[key.name],
                revocation: basis.revocation(of: key), ruleCount: basis.rules.count { $0.accepts(key) })
        }
    }

    /// The rules of the site file.
    package func trustRules() -> [TrustRule] { trust.withLock { $0.policy.rules } }

    /// Goes over to what the site file says now. Versions keep their standing until they have been judged again.
    package func adopt(_ policy: TrustPolicy) {
        publication.withLock { _ in
            let (before, after) = trust.withLock { state in
                let before = state.basis
                state.policy = policy
                return (before, state.basis)
            }
            guard before != after else { return }
            index.withLock { index in
                for name in index.names {
                    let wasFree = before.rules(for: name).isEmpty
                    guard wasFree != after.rules(for: name).isEmpty else { continue }
                    // Of those that rules are about now, nothing is known: they wait.
                    for digest in index.digests(of: name) {
                        index.withhold(digest, name: name, wasFree ? .unjudged : nil)
                    }
                }
            }
        }
        wantVerdicts.yield()
    }

    /// Adds a key; rules of the site file give it a meaning.
    /// - Throws: `keyExists` when a key has the name, or a key of another name is the same.
    package func add(_ key: TrustKey, by actor: String = "local") throws(StoreError) {
        try publication.withLock { _ throws(StoreError) in
            let packaged = Set(trust.withLock { $0.packaged })
            for known in trust.withLock({ $0.basis.keys }) where !packaged.contains(known) || known.name == key.name {
                guard known.name != key.name else {
                    throw StoreError(.keyExists, "there is a key '\(key.name)' already: choose another name")
                }
                guard known.format != key.format || known.fingerprint != key.fingerprint else {
                    throw StoreError(.keyExists, "it is the key '\(known.name)'")
                }
            }
            let added = AddedKey(key: key, addedAt: clock())
            try withCatalog { pool in
                try pool.write { database in
                    try added.insert(database)
                    try self.audit.append(
                        database, "trust add", key.name, "\(key.format.rawValue) \(key.fingerprint) (\(key.identity))",
                        by: actor)
                }
            }
            trust.withLock { $0.added.append(added) }
        }
        wantVerdicts.yield()
    }

    /// Revokes a key, for good: no signature of it counts any more, also none that came before. Versions that rest on it
    /// are withheld from machines when this returns, and judged again.
    /// `name`: of a key that is known.
    /// - Throws: `keyUnknown`; `keyExists` when it is revoked already.
    package func revokeKey(_ name: String, reason: String, by actor: String = "local") throws(StoreError) {
        try publication.withLock { _ throws(StoreError) in
            let basis = trust.withLock { $0.basis }
            guard let key = basis.keys.first(where: { $0.name == name }) else {
                throw StoreError(.keyUnknown, "there is no key '\(name)': 'artifactctl trust ls' lists them")
            }
            guard basis.revocation(of: key) == nil else {
                throw StoreError(.keyExists, "the key '\(name)' is revoked already")
            }
            let revocation = Revocation(
                format: key.format, fingerprint: key.fingerprint, revokedAt: clock(), reason: reason)
            let resting = try withCatalog { pool in
                try pool.write { database in
                    try revocation.insert(database)
                    try self.audit.append(
                        database, "trust revoke", name, "\(key.format.rawValue) \(key.fingerprint): \(reason)",
                        by: actor)
                    return try self.resting(on: key, database)
                }
            }
            trust.withLock { $0.revocations.append(revocation) }
            index.withLock { index in
                for (name, digest) in resting {
                    index.withhold(
                        digest, name: name, Withholding("a key that signed it was revoked"))
                }
            }
        }
        wantVerdicts.yield()
    }

    /// Versions with a signature of a key that counted.
    private func resting(on key: TrustKey, _ database: Database) throws -> [(name: ArtifactName, digest: Digest)] {
        var found: [(name: ArtifactName, digest: Digest)] = []
        for name in try String.fetchAll(database, sql: "SELECT DISTINCT name FROM verdict") {
            guard let name = try? ArtifactName(name) else { continue }
            for (digest, stored) in try StoredVerdict.all(database, name) {
                let isSigned = stored.verdict.signatures.contains {
                    $0.fault == nil && $0.format == key.format && $0.fingerprint == key.fingerprint
                }
                if isSigned { found.append((name, digest)) }
            }
        }
        return found
    }
}
