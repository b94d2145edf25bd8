package import Artifacts
internal import GRDB

/// The log of every change: append-only and chained by digests (see `AuditEntry`). An entry is written in the
/// transaction of the change it tells of, so that neither is there without the other.
struct AuditLog: Sendable {
    /// Seconds since 1970.
    let clock: @Sendable () -> Int64

    /// Adds an entry within the caller's transaction.
    func append(
        _ database: Database, _ action: String, _ subject: String, _ detail: String = "", by actor: String
    ) throws {
        let last = try Row.fetchOne(database, sql: "SELECT * FROM audit ORDER BY sequence DESC LIMIT 1")
        let entry = AuditEntry(
            after: try last.map(Self.entry), at: clock(), actor: actor, action: action, subject: subject,
            detail: detail)
        try database.execute(
            sql: """
                INSERT INTO audit (sequence, at, actor, action, subject, detail, previous, digest)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                entry.sequence, entry.at, entry.actor, entry.action, entry.subject, entry.detail, entry.previous.column,
                entry.digest.column,
            ])
    }

    static func entry(_ row: Row) throws -> AuditEntry {
        AuditEntry(
            sequence: row["sequence"], at: row["at"], actor: row["actor"], action: row["action"],
            subject: row["subject"], detail: row["detail"], previous: try Digest(hex: row["previous"] as String),
            digest: try Digest(hex: row["digest"] as String))
    }
}

extension ArtifactStore {
    /// A page of the audit log, oldest first, after the entry `sequence`.
    /// - Throws: `failure`.
    package func auditEntries(after sequence: Int64, limit: Int) throws(StoreError) -> [AuditEntry] {
        try withCatalog { pool in
            try pool.read { database in
                try Row.fetchAll(
                    database, sql: "SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?",
                    arguments: [sequence, limit]
                ).map(AuditLog.entry)
            }
        }
    }

    /// The newest entries of the audit log, oldest of them first.
    /// - Throws: `failure`.
    package func newestAuditEntries(_ count: Int) throws(StoreError) -> [AuditEntry] {
        try withCatalog { pool in
            try pool.read { database in
                try Row.fetchAll(
                    database, sql: "SELECT * FROM audit ORDER BY sequence DESC LIMIT ?", arguments: [count]
                ).reversed().map(AuditLog.entry)
            }
        }
    }

    /// Writes of a change outside the store, such as of an account, into the audit log.
    /// - Throws: `failure`.
    package func note(_ action: String, _ subject: String, _ detail: String = "", by actor: String) throws(StoreError) {
        try withCatalog { pool in
            try pool.write { try audit.append($0, action, subject, detail, by: actor) }
        }
    }
}
