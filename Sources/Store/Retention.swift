package import Artifacts
internal import GRDB

/// What is kept of some names. Without a rule, everything is.
package struct RetentionRule: Sendable, Hashable {
    /// Of several rules that fit a name, the one that says most of it counts.
    package var names: NamePattern
    /// How many of the newest versions stay; nil for all.
    package var keptVersions: Int?
    /// Hours of the store's running time after which a manifest that has no tag goes; nil for never.
    package var untaggedHours: Int?

    package init(names: NamePattern, keptVersions: Int?, untaggedHours: Int?) {
        self.names = names
        self.keptVersions = keptVersions
        self.untaggedHours = untaggedHours
    }

    /// How much of a name the rule says; nil when it does not fit.
    func weight(of name: ArtifactName) -> Int? { names.weight(of: name.description) }
}

/// What retention takes, and why.
package struct RetentionFinding: Sendable, Hashable {
    package let reference: Reference
    package let reason: String
}

/// Retention: versions that the rules no longer keep lose their tags, and manifests without a tag go. Never taken: what a
/// channel names or has named lately, what an index lists, what is about a manifest that is there, and what the caller says
/// is in use.
extension ArtifactStore {
    /// The moves of a channel, newest first, whose versions stay, so that there is something to roll back to.
    static let keptMoves = 10

    /// - Throws: `failure`.
    package func retentionRules() throws(StoreError) -> [RetentionRule] {
        try withCatalog { pool in
            try pool.read { database in
                try Row.fetchAll(database, sql: "SELECT * FROM retention ORDER BY names").compactMap { row in
                    NamePattern(row["names"] as String).map {
                        RetentionRule(
                            names: $0, keptVersions: row["kept_versions"], untaggedHours: row["untagged_hours"])
                    }
                }
            }
        }
    }

    /// Sets the rule of its names, in place of the one before.
    /// - Throws: `failure`.
    package func setRetention(_ rule: RetentionRule, by actor: String = "local") throws(StoreError) {
        try withCatalog { pool in
            try pool.write { database in
                try database.execute(
                    sql: "INSERT OR REPLACE INTO retention (names, kept_versions, untagged_hours) VALUES (?, ?, ?)",
                    arguments: [rule.names.description, rule.keptVersions, rule.untaggedHours])
                let detail =
                    "versions \(rule.keptVersions.map(String.init) ?? "all"), untagged \(rule.untaggedHours.map { "\($0) h" } ?? "always")"
                try self.audit.append(database, "set retention", rule.names.description, detail, by: actor)
            }
        }
    }

    /// - Throws: `nameUnknown` when there is no such rule.
    package func removeRetention(_ names: String, by actor: String = "local") throws(StoreError) {
        try withCatalog { pool in
            try pool.write { database in
                try database.execute(sql: "DELETE FROM retention WHERE names = ?", arguments: [names])
                guard database.changesCount > 0 else {
                    throw StoreError(.nameUnknown, "there is no rule for '\(names)'")
                }
                try self.audit.append(database, "remove retention", names, by: actor)
            }
        }
    }

    /// What the rules would take now.
    /// - Throws: `failure`.
    package func retentionFindings(inUse: Set<Reference>) throws(StoreError) -> [RetentionFinding] {
        let rules = try retentionRules()
        guard !rules.isEmpty else { return [] }
        let now = lifetimeClock()
        var findings: [RetentionFinding] = []
        for name in try names() {
            let fitting = rules.compactMap { rule in rule.weight(of: name).map { (weight: $0, rule: rule) } }
            guard let rule = fitting.max(by: { $0.weight < $1.weight })?.rule else { continue }
            findings += try withCatalog { pool in
                try pool.read { try Self.findings($0, rule, name, inUse, now) }
            }
        }
        return findings
    }

    /// Takes what the rules no longer keep.
    /// - Returns: what was taken; what something came to need meanwhile is left out.
    /// - Throws: `degraded`, `failure`.
    package func applyRetention(inUse: Set<Reference>, by actor: String = "retention") throws(StoreError)
        -> [RetentionFinding]
    {
        try health.requireWritable()
        var taken: [RetentionFinding] = []
        for finding in try retentionFindings(inUse: inUse) {
            do throws(StoreError) {
                switch finding.reference.version {
                case .tag(let tag): try delete(tag, name: finding.reference.name, by: actor)
                case .digest(let digest): try delete(manifest: digest, name: finding.reference.name, by: actor)
                }
                taken.append(finding)
            } catch {
                guard [.inUse, .manifestUnknown].contains(error.code) else { throw error }
            }
        }
        return taken
    }

    private static func findings(
        _ database: Database, _ rule: RetentionRule, _ name: ArtifactName, _ inUse: Set<Reference>, _ now: Int64
    ) throws -> [RetentionFinding] {
        var kept = try Set(
            String.fetchAll(
                database,
                sql: """
                    SELECT digest FROM channel_move AS move WHERE name = ?1 AND (
                        SELECT COUNT(*) FROM channel_move AS later WHERE later.name = move.name
                            AND later.channel = move.channel AND later.sequence > move.sequence) < ?2
                    UNION SELECT digest FROM tag WHERE name = ?1 AND is_channel
                    """, arguments: [name.description, keptMoves]))
        for case .digest(let digest) in inUse.filter({ $0.name == name }).map(\.version) { kept.insert(digest.column) }
        let tags = try Row.fetchAll(
            database,
            sql: """
                SELECT tag, digest, is_channel FROM tag WHERE name = ? ORDER BY updated_at DESC, tag DESC
                """, arguments: [name.description])
        var findings: [RetentionFinding] = []
        var held: Set<String> = []
        var newest = 0
        for row in tags {
            let tag = try Tag(row["tag"] as String)
            let reference = Reference(name: name, version: .tag(tag))
            let digest: String = row["digest"]
            if row["is_channel"] {
                held.insert(digest)
                continue
            }
            newest += 1
            if newest <= rule.keptVersions ?? .max || kept.contains(digest) || inUse.contains(reference) {
                held.insert(digest)
            } else {
                findings.append(
                    RetentionFinding(reference: reference, reason: "\(rule.keptVersions ?? 0) newer versions are kept"))
            }
        }
        guard let hours = rule.untaggedHours else { return findings }
        let manifests = try Row.fetchAll(
            database,
            sql: """
                SELECT digest FROM manifest WHERE name = ?1 AND lived_at <= ?2
                    AND NOT EXISTS (SELECT 1 FROM manifest_reference AS reference
                        WHERE reference.name = ?1 AND reference.digest = manifest.digest)
                    AND NOT EXISTS (SELECT 1 FROM manifest AS subject
                        WHERE subject.name = ?1 AND subject.digest = manifest.subject)
                ORDER BY digest
                """, arguments: [name.description, now - Int64(hours) * 3600])
        for row in manifests {
            let digest: String = row["digest"]
            guard !held.contains(digest), !kept.contains(digest) else { continue }
            findings.append(
                RetentionFinding(
                    reference: Reference(name: name, version: .digest(try Digest(hex: digest))),
                    reason: "it has had no tag for \(hours) h"))
        }
        return findings
    }
}
