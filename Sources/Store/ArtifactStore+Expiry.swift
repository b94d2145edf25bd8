internal import Artifacts
internal import GRDB
internal import Synchronization

extension ArtifactStore {
    /// Seconds without a durable byte after which an upload is given up, and its room with it.
    package static let uploadLifetime: Int64 = 24 * 3600

    /// Remembers how long the store has run. To be called about every minute: a crash forgets what came after.
    /// - Throws: `failure`.
    package func keepTime() throws(StoreError) {
        let now = lifetimeClock()
        try withCatalog { pool in
            try pool.write { database in
                try database.execute(sql: "DELETE FROM lifetime")
                try database.execute(sql: "INSERT INTO lifetime (seconds) VALUES (?)", arguments: [now])
            }
        }
    }

    /// Cancels uploads that nobody continued for `uploadLifetime`, and forgets leases that ran out. To be called now
    /// and then, and at start.
    /// - Returns: how many uploads were given up.
    /// - Throws: `failure` when the catalog cannot be read.
    @discardableResult
    package func expire() async throws(StoreError) -> Int {
        let now = lifetimeClock()
        let stale = try withCatalog { pool in
            try pool.write { database in
                try database.execute(sql: "DELETE FROM lease WHERE expires_at < ?", arguments: [now])
                return try Row.fetchAll(
                    database, sql: "SELECT id, name FROM upload WHERE touched_at < ?",
                    arguments: [now - Self.uploadLifetime])
            }
        }
        for row in stale {
            guard let name = try? ArtifactName(row["name"] as String) else { continue }
            if let upload = try? upload(row["id"], name: name) {
                try? await upload.cancel()
                forget(upload)
            } else {
                try withCatalog { pool in
                    try pool.write { database in
                        try database.execute(
                            sql: "DELETE FROM upload WHERE id = ?", arguments: [row["id"] as String])
                    }
                }
            }
        }
        return stale.count
    }
}
