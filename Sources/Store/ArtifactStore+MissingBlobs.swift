package import Artifacts
internal import GRDB

/// What a pusher of many blobs asks before it sends any.
extension ArtifactStore {
    /// Answers a pusher that asks which of many blobs it has to send: like `claimBlob` for each of the others. A blob of
    /// another name that the pusher may read becomes one of this name. Without a holder nothing is changed.
    /// - Returns: those that are missing, in the order asked.
    package func missingBlobs(
        _ digests: [Digest], name: ArtifactName, holder: String?, mayRead: (ArtifactName) -> Bool
    ) throws(StoreError) -> [Digest] {
        func isThere(_ digest: Digest, _ database: Database) throws -> Bool {
            guard let size = try readableSize(digest, name, database, mayRead) else { return false }
            return (try? files.size(directory.blobPath(digest))) == size
        }
        return try withCatalog { pool in
            guard let holder else {
                return try pool.read { database in try self.split(digests) { try isThere($0, database) }.missing }
            }
            return try pool.write { database in
                let (missing, found) = try self.split(digests) {
                    try isThere($0, database) && self.lease(database, $0, holder: holder)
                }
                try Quota.hold(found, name, database)
                return missing
            }
        }
    }

    /// Those that are not so, and those that are, each once and in the order asked.
    private func split(
        _ digests: [Digest], _ isSo: (Digest) throws -> Bool
    ) throws -> (missing: [Digest], found: [Digest]) {
        var (missing, found): ([Digest], [Digest]) = ([], [])
        var seen: Set<Digest> = []
        for digest in digests where seen.insert(digest).inserted {
            if try isSo(digest) { found.append(digest) } else { missing.append(digest) }
        }
        return (missing, found)
    }

    /// Below this, a size says little about a blob, and many have the same.
    package static let leastTellingSize: Int64 = 1 << 20

    /// Which of some sizes a blob of a name has. Those below `leastTellingSize` are always taken for held.
    /// - Throws: `failure`.
    package func heldSizes(among sizes: [Int64], name: ArtifactName) throws(StoreError) -> [Int64] {
        try withCatalog { pool in
            try pool.read { database in
                try sizes.filter { size in
                    if size < Self.leastTellingSize { return true }
                    return try database.rowOften(
                        """
                        SELECT 1 FROM blob WHERE size = ? AND state IN ('arriving', 'present')
                            AND EXISTS (SELECT 1 FROM repository_blob WHERE name = ? AND digest = blob.digest) LIMIT 1
                        """, [size, name.description]) != nil
                }
            }
        }
    }

    /// The size of a blob that the name holds, or another does that may be read; nil for any other.
    private func readableSize(
        _ digest: Digest, _ name: ArtifactName, _ database: Database, _ mayRead: (ArtifactName) -> Bool
    ) throws -> Int64? {
        let row = try database.rowOften(
            """
            SELECT size, EXISTS (SELECT 1 FROM repository_blob WHERE name = ? AND digest = blob.digest) AS is_ours
            FROM blob WHERE digest = ? AND state = 'present'
            """, [name.description, digest.column])
        guard let row else { return nil }
        if row["is_ours"] { return row["size"] }
        // What every name has, such as a configuration, is looked for in some of them.
        let holders = try String.fetchCursor(
            database, sql: "SELECT name FROM repository_blob WHERE digest = ? LIMIT 100", arguments: [digest.column])
        while let holder = try holders.next() {
            if mayRead(try ArtifactName(holder)) { return row["size"] }
        }
        return nil
    }
}
