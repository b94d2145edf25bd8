package import Artifacts
internal import GRDB

extension ArtifactStore {
    /// The size of a blob that a name holds; nil when it does not. Says yes only for bytes that are on disk.
    package func blobSize(_ digest: Digest, name: ArtifactName) throws(StoreError) -> Int64? {
        let size: Int64? = try withCatalog { pool in
            try pool.read { database in
                try Int64.fetchOne(
                    database,
                    sql: """
                        SELECT size FROM blob JOIN repository_blob USING (digest)
                        WHERE digest = ? AND name = ? AND state = 'present'
                        """, arguments: [digest.column, name.description])
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
        let expires = lifetimeClock() + BlobCommitter.leaseSeconds
        return try withCatalog { pool in
            try pool.write { database in
                let present = try Bool.fetchOne(
                    database, sql: "SELECT state = 'present' FROM blob WHERE digest = ?", arguments: [digest.column])
                guard present == true else { return nil }
                try database.execute(
                    sql: "INSERT OR REPLACE INTO lease (digest, holder, expires_at) VALUES (?, ?, ?)",
                    arguments: [digest.column, holder, expires])
                return size
            }
        }
    }

    /// Makes a blob of one name one of another, without copying. False when the first does not hold it.
    package func mount(_ digest: Digest, from source: ArtifactName, to name: ArtifactName) throws(StoreError) -> Bool {
        guard try blobSize(digest, name: source) != nil else { return false }
        try withCatalog { pool in
            try pool.write { database in
                try database.execute(
                    sql: "INSERT OR IGNORE INTO repository_blob (name, digest) VALUES (?, ?)",
                    arguments: [name.description, digest.column])
                try database.execute(
                    sql: "INSERT OR REPLACE INTO lease (digest, holder, expires_at) VALUES (?, ?, ?)",
                    arguments: [digest.column, "mount \(name)", lifetimeClock() + BlobCommitter.leaseSeconds])
            }
        }
        return true
    }
}
