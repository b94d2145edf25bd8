package import Artifacts
internal import GRDB

/// How much some names may hold together.
package struct Quota: Sendable, Hashable {
    /// Every quota that fits a name counts.
    package var names: NamePattern
    /// Bytes. A blob counts once for each name that holds it, whatever room it takes on disk.
    package var limit: Int64

    package init(names: NamePattern, limit: Int64) {
        self.names = names
        self.limit = limit
    }

    /// Gives blobs to a name, within the caller's transaction.
    /// - Throws: `noSpace` with numbers when a quota does not allow it: the transaction must not go on.
    static func hold(_ digests: some Sequence<Digest>, _ name: ArtifactName, _ database: Database) throws {
        var isMore = false
        for digest in digests {
            try database.executeOften(
                "INSERT OR IGNORE INTO repository_blob (name, digest) VALUES (?, ?)", [name.description, digest.column])
            isMore = isMore || database.changesCount > 0
        }
        if isMore { try require(0, for: name, database) }
    }

    /// Whether a name holds a blob, whatever its state.
    static func isHeld(_ digest: Digest, _ name: ArtifactName, _ database: Database) throws -> Bool {
        try database.rowOften(
            "SELECT 1 FROM repository_blob WHERE name = ? AND digest = ?", [name.description, digest.column]) != nil
    }

    /// - Throws: `noSpace` with numbers when `bytes` more would be more than a quota of the name allows.
    static func require(_ bytes: Int64, for name: ArtifactName, _ database: Database) throws {
        for quota in try fitting(name, database) {
            let used = try quota.used(database)
            guard used + bytes > quota.limit else { continue }
            throw StoreError(
                .noSpace,
                "no space: the quota of '\(quota.names)' is \(quota.limit) bytes, and \(used + bytes) would be held; delete versions and collect, or raise it with 'artifactctl quota set'"
            )
        }
    }

    /// How many bytes a name may still take; nil where no quota fits it.
    static func room(for name: ArtifactName, _ database: Database) throws -> Int64? {
        try fitting(name, database).map { max(0, $0.limit - (try $0.used(database))) }.min()
    }

    private static func fitting(_ name: ArtifactName, _ database: Database) throws -> [Quota] {
        try all(database).filter { $0.names.weight(of: name.description) != nil }
    }

    static func all(_ database: Database) throws -> [Quota] {
        try Row.fetchAll(try database.cachedStatement(sql: "SELECT names, bytes FROM quota ORDER BY names")).compactMap
        { row in
            NamePattern(row["names"] as String).map { Quota(names: $0, limit: row["bytes"]) }
        }
    }

    /// What its names hold now. `usage` is kept by triggers, in the transaction of every change.
    func used(_ database: Database) throws -> Int64 {
        let all = "SELECT COALESCE(SUM(bytes), 0) FROM usage"
        let names = names.description
        if names == NamePattern.all.description { return try Int64.fetchOne(database, sql: all) ?? 0 }
        guard names.hasSuffix("/*") else {
            return try Int64.fetchOne(database, sql: "\(all) WHERE name = ?", arguments: [names]) ?? 0
        }
        // '0' comes after '/'.
        let folder = names.dropLast(2)
        return try Int64.fetchOne(
            database, sql: "\(all) WHERE name >= ? AND name < ?", arguments: ["\(folder)/", "\(folder)0"]) ?? 0
    }
}

/// A quota with what its names hold now.
package struct QuotaUse: Sendable, Hashable {
    package let quota: Quota
    /// Bytes.
    package let used: Int64
}

extension ArtifactStore {
    /// - Throws: `failure`.
    package func quotas() throws(StoreError) -> [QuotaUse] {
        try withCatalog { pool in
            try pool.read { database in
                try Quota.all(database).map { QuotaUse(quota: $0, used: try $0.used(database)) }
            }
        }
    }

    /// Sets the quota of its names, in place of the one before. What is held already stays, also when it is more.
    /// - Throws: `failure`.
    package func setQuota(_ quota: Quota, by actor: String = "local") throws(StoreError) {
        try withCatalog { pool in
            try pool.write { database in
                try database.execute(
                    sql: "INSERT OR REPLACE INTO quota (names, bytes) VALUES (?, ?)",
                    arguments: [quota.names.description, quota.limit])
                try self.audit.append(database, "set quota", quota.names.description, "\(quota.limit) bytes", by: actor)
            }
        }
    }

    /// - Throws: `nameUnknown` when there is no such quota.
    package func removeQuota(_ names: String, by actor: String = "local") throws(StoreError) {
        try withCatalog { pool in
            try pool.write { database in
                try database.execute(sql: "DELETE FROM quota WHERE names = ?", arguments: [names])
                guard database.changesCount > 0 else {
                    throw StoreError(.nameUnknown, "there is no quota of '\(names)'")
                }
                try self.audit.append(database, "remove quota", names, by: actor)
            }
        }
    }
}
