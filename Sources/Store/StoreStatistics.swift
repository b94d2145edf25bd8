internal import GRDB

/// Numbers of a store, for monitoring.
package struct StoreStatistics: Sendable, Hashable {
    package struct Blobs: Sendable, Hashable {
        /// `present`, `arriving`, `condemned`, `trashed` or `corrupt`.
        package var state: String
        package var count: Int64
        package var bytes: Int64
    }

    /// In the order of the states' names.
    package var blobs: [Blobs]
    package var uploads: Int64
    package var auditEntries: Int64
}

extension ArtifactStore {
    /// - Throws: `failure`.
    package func statistics() throws(StoreError) -> StoreStatistics {
        try withCatalog { pool in
            try pool.read { database in
                StoreStatistics(
                    blobs: try Row.fetchAll(
                        database,
                        sql:
                            "SELECT state, COUNT(*) AS count, SUM(size) AS bytes FROM blob GROUP BY state ORDER BY state"
                    ).map { StoreStatistics.Blobs(state: $0["state"], count: $0["count"], bytes: $0["bytes"]) },
                    uploads: try Int64.fetchOne(database, sql: "SELECT COUNT(*) FROM upload") ?? 0,
                    auditEntries: try Int64.fetchOne(database, sql: "SELECT MAX(sequence) FROM audit") ?? 0)
            }
        }
    }
}
