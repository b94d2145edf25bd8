internal import Artifacts
internal import GRDB
internal import Glibc

/// What happens at start after a crash. Takes time by what was under way, not by what is stored.
struct Recovery {
    let directory: DataDirectory
    let catalog: Catalog
    let files: any FileOperations

    func run() throws {
        try settleArrivingBlobs()
        try settleUploads()
        try removeStrayStaging()
    }

    /// Between W4 and W6: the file is there whole, or it never came.
    private func settleArrivingBlobs() throws {
        let rows = try catalog.pool.read {
            try Row.fetchAll($0, sql: "SELECT digest, size FROM blob WHERE state = 'arriving' AND state != 'present'")
        }
        guard !rows.isEmpty else { return }
        // Those of a batch may be whole and not yet durable: only the process may have died.
        let blobs = try files.openDirectory(directory.blobsPath)
        defer { files.close(blobs) }
        try files.synchronizeFileSystem(blobs, path: directory.blobsPath)
        for row in rows {
            guard let digest = try? Digest(hex: row["digest"] as String) else { continue }
            let path = directory.blobPath(digest)
            if try files.size(path) == row["size"], try measure(path) == digest {
                try catalog.pool.write {
                    try $0.execute(
                        sql: "UPDATE blob SET state = 'present' WHERE digest = ?", arguments: [digest.column])
                }
            } else {
                try files.removeFile(path)
                try catalog.pool.write { try Self.forget(digest, $0) }
            }
        }
    }

    /// Forgets a blob that never came.
    static func forget(_ digest: Digest, _ database: Database) throws {
        // What was corrupt before it was pushed again is still missed by the manifests that list it.
        try database.execute(
            sql: "UPDATE blob SET state = 'corrupt' WHERE digest = ? AND \(ArtifactStore.isReferenced)",
            arguments: [digest.column])
        guard database.changesCount == 0 else { return }
        for table in ["lease", "repository_blob", "blob"] {
            try database.execute(sql: "DELETE FROM \(table) WHERE digest = ?", arguments: [digest.column])
        }
    }

    /// Sessions go on at their durable offset; those whose bytes are gone end.
    private func settleUploads() throws {
        let rows = try catalog.pool.read { try Row.fetchAll($0, sql: "SELECT id, durable_offset FROM upload") }
        for row in rows {
            let id: String = row["id"]
            let size = try files.size(directory.stagingFile(id))
            guard let size, size >= row["durable_offset"] as Int64 else {
                try catalog.pool.write { try $0.execute(sql: "DELETE FROM upload WHERE id = ?", arguments: [id]) }
                continue
            }
        }
    }

    private func removeStrayStaging() throws {
        let known = try Set(catalog.pool.read { try String.fetchAll($0, sql: "SELECT id FROM upload") })
        for entry in DirectoryListing.names(directory.stagingPath) where !known.contains(entry) {
            // What an operator has put there is no reason not to start.
            try? files.removeFile(directory.stagingFile(entry))
            try? files.removeDirectory(directory.stagingDirectory(entry))
        }
    }

    private func measure(_ path: String) throws -> Digest {
        let hasher = try SHA256()
        // Pages whose writing has failed are in memory, clean and right, and on the disk they are not.
        _ = try StagedFile.hash(path, upTo: .max, into: hasher, fromDisk: true)
        return hasher.finish()
    }
}
