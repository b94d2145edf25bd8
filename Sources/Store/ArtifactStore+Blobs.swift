package import Artifacts
internal import GRDB

extension ArtifactStore {
    /// The size of a blob that a name holds; nil when it does not. Says yes only for bytes that are on disk.
    ///
    /// Whoever only reads may also ask for one that a collection has condemned (`forReading`): it is still there.
    package func blobSize(
        _ digest: Digest, name: ArtifactName, forReading: Bool = false
    ) throws(StoreError) -> Int64? {
        let size: Int64? = try withCatalog { pool in
            try pool.read { database in
                try Int64.fetchOne(
                    database,
                    sql: """
                        SELECT size FROM blob JOIN repository_blob USING (digest)
                        WHERE digest = ? AND name = ? AND (state = 'present' OR ? AND state = 'condemned')
                        """, arguments: [digest.column, name.description, forReading])
            }
        }
        guard let size else { return nil }
        // A file that was lost behind the catalog's back must be accepted again, so it must not be said to be there.
        return (try? files.size(directory.blobPath(digest))) == size ? size : nil
    }

    /// Answers a pusher that asks whether it may skip a blob: like `blobSize`, and the blob is leased in the
    /// transaction that gave the answer, so that no collection can take it before the manifest comes.
    package func claimBlob(_ digest: Digest, name: ArtifactName, holder: String) throws(StoreError) -> Int64? {
        guard let size = try blobSize(digest, name: name) else { return nil }
        return try withCatalog { pool in
            try pool.write { try self.lease($0, digest, holder: holder) ? size : nil }
        }
    }

    /// Takes out a lease on a blob within the caller's transaction. False when the blob is not present: then a
    /// collection has condemned it, and it must be pushed again.
    func lease(_ database: Database, _ digest: Digest, holder: String) throws -> Bool {
        let now = lifetimeClock()
        try database.executeOften(
            "UPDATE blob SET touched_at = ? WHERE digest = ? AND state = 'present'", [now, digest.column])
        guard database.changesCount > 0 else { return false }
        try BlobCommitter.lease(digest, to: holder, now, database)
        return true
    }

    /// Makes a blob of one name one of another, without copying. False when the first does not hold it.
    package func mount(_ digest: Digest, from source: ArtifactName, to name: ArtifactName) throws(StoreError) -> Bool {
        guard try blobSize(digest, name: source) != nil else { return false }
        return try withCatalog { pool in
            try pool.write { database in
                guard try self.lease(database, digest, holder: "mount \(name)") else { return false }
                try Quota.hold([digest], name, database)
                return true
            }
        }
    }

    /// The names that hold a blob, in lexical order.
    package func holders(of digest: Digest) throws(StoreError) -> [ArtifactName] {
        try withCatalog { pool in
            try pool.read { database in
                try String.fetchAll(
                    database, sql: "SELECT name FROM repository_blob WHERE digest = ? ORDER BY name",
                    arguments: [digest.column]
                ).compactMap { try? ArtifactName($0) }
            }
        }
    }
}
