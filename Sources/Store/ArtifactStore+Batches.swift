package import Artifacts
internal import GRDB

/// A blob that is small enough to be in memory.
package struct SmallBlob: Sendable, Hashable {
    package let digest: Digest
    package let bytes: [UInt8]

    package init(digest: Digest, bytes: [UInt8]) {
        self.digest = digest
        self.bytes = bytes
    }
}

/// Many small blobs at once: of 4 KiB each, one by one, the disk would sync a few hundred in a second.
extension ArtifactStore {
    /// Stores blobs of a name. When this returns, all of them survive a power cut.
    ///
    /// The order of a single blob's way in holds (facts: write protocol), with one sync for all: rows and leases, which say
    /// that they arrive; the files, under their own names, for nobody is told of them yet and a start after a crash reads
    /// what was arriving; one sync of the file system; the rows, which say that they are there.
    /// - Returns: how many were not there before.
    /// - Throws: `digestMismatch`, `noSpace`, `degraded`, `failure`. Some may be there then, and none in part: to send all
    ///   again is right.
    @discardableResult
    package func storeBatch(_ blobs: [SmallBlob], name: ArtifactName) async throws(StoreError) -> Int {
        try health.requireWritable()
        var distinct: [Digest: SmallBlob] = [:]
        for blob in blobs {
            guard SHA256.digest(of: blob.bytes) == blob.digest else {
                throw StoreError(
                    .digestMismatch, "the \(blob.bytes.count) bytes that came are not those of \(blob.digest)")
            }
            distinct[blob.digest] = blob
        }
        // A file takes whole blocks.
        try space.require(distinct.values.reduce(0) { $0 + Int64($1.bytes.count) / 4096 * 4096 + 4096 })
        guard let random = RandomBytes.make(16) else { throw StoreError(.failure, "no random numbers on this machine") }
        let batch = Batch(holder: "batch \(Hexadecimal.encode(random))", name: name)
        let (new, others) = try withCatalog { pool in
            try pool.write { try self.begin(batch, distinct.values.sorted { $0.digest < $1.digest }, $0) }
        }
        do {
            let taken = try write(new)
            try await storeSingly(others + taken, name)
            try withCatalog { pool in
                try pool.write { database in
                    for blob in new {
                        try database.executeOften(
                            "UPDATE blob SET state = 'present' WHERE digest = ? AND state IN ('arriving', 'present')",
                            [blob.digest.column])
                        guard database.changesCount == 1 else {
                            throw StoreError(.failure, "the blob \(blob.digest) was taken away while it arrived")
                        }
                    }
                }
            }
        } catch {
            giveUp(new, batch)
            throw space.explain(error, as: "the blobs could not be stored")
        }
        return new.count + others.count
    }

    private struct Batch {
        /// Of the leases.
        let holder: String
        let name: ArtifactName
    }

    /// Those that the batch brings itself, and those that somebody else is bringing, or whose file was lost: these go the
    /// way of a single blob.
    private func begin(
        _ batch: Batch, _ blobs: [SmallBlob], _ database: Database
    ) throws -> (new: [SmallBlob], others: [SmallBlob]) {
        var new: [SmallBlob] = []
        var others: [SmallBlob] = []
        var held: [Digest] = []
        let now = lifetimeClock()
        for blob in blobs {
            let column = blob.digest.column
            let state = try database.rowOften("SELECT state FROM blob WHERE digest = ?", [column])?["state"] as String?
            switch state {
            case "present", "condemned":
                guard (try? files.size(directory.blobPath(blob.digest))) == Int64(blob.bytes.count) else {
                    others.append(blob)
                    continue
                }
                try database.executeOften(
                    "UPDATE blob SET state = 'present', touched_at = ? WHERE digest = ?", [now, column])
            case nil, "trashed", "corrupt":
                new.append(blob)
                try database.executeOften(
                    """
                    INSERT INTO blob (digest, size, state, touched_at) VALUES (?, ?, 'arriving', ?)
                    ON CONFLICT (digest) DO UPDATE SET touched_at = excluded.touched_at, size = excluded.size,
                        state = 'arriving'
                    """, [column, blob.bytes.count, now])
            default:
                others.append(blob)
                continue
            }
            try BlobCommitter.lease(blob.digest, to: batch.holder, now, database)
            held.append(blob.digest)
        }
        try Quota.hold(held, batch.name, database)
        return (new, others)
    }

    /// - Returns: those under whose name there is a file already.
    private func write(_ blobs: [SmallBlob]) throws -> [SmallBlob] {
        guard !blobs.isEmpty else { return [] }
        let root = try files.openDirectory(directory.blobsPath)
        defer { files.close(root) }
        var taken: [SmallBlob] = []
        for blob in blobs {
            let (outer, inner) = directory.blobDirectory(blob.digest)
            do {
                try create(blob)
            } catch let failure as FileFailure where failure.isAlreadyThere {
                taken.append(blob)
            } catch let failure as FileFailure where failure.isNotThere {
                try makeDirectory(inner, in: outer)
                try create(blob)
            }
        }
        do {
            try files.synchronizeFileSystem(root, path: directory.blobsPath)
        } catch {
            health.degrade(error)
            throw StoreError(.degraded, StoreHealth.explanation, cause: error)
        }
        return taken
    }

    private func makeDirectory(_ inner: String, in outer: String) throws {
        do {
            _ = try files.makeDirectory(inner)
        } catch let failure where failure.isNotThere {
            _ = try files.makeDirectory(outer)
            _ = try files.makeDirectory(inner)
        }
    }

    private func create(_ blob: SmallBlob) throws {
        let path = directory.blobPath(blob.digest)
        let descriptor = try files.create(path)
        defer { files.close(descriptor) }
        try blob.bytes.withUnsafeBytes { try files.writeAll(descriptor, $0, at: 0, path: path) }
    }

    private func storeSingly(_ blobs: [SmallBlob], _ name: ArtifactName) async throws(StoreError) {
        for blob in blobs { _ = try await storeBlob(blob.bytes, name: name) }
    }

    /// Takes away what a batch that failed has begun, but for what another upload brings as well. What cannot be taken away
    /// now is found by the next start.
    private func giveUp(_ blobs: [SmallBlob], _ batch: Batch) {
        try? catalog.pool.write { database in
            for blob in blobs {
                try database.execute(
                    sql: "DELETE FROM lease WHERE digest = ? AND holder = ?",
                    arguments: [blob.digest.column, batch.holder])
                let isOurs = try Bool.fetchOne(
                    database,
                    sql: """
                        SELECT state = 'arriving' AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.digest = blob.digest)
                        FROM blob WHERE digest = ?
                        """, arguments: [blob.digest.column])
                guard isOurs == true else { continue }
                try files.removeFile(directory.blobPath(blob.digest))
                try Recovery.forget(blob.digest, database)
            }
        }
    }
}
