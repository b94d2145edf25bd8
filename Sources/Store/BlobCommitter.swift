internal import Artifacts
internal import GRDB
internal import Synchronization

/// The last steps of a blob's way in (facts: write protocol W3 to W6). A crash at any step leaves garbage that
/// recovery removes, never a row that promises bytes that are not there.
struct BlobCommitter: Sendable {
    /// Seconds for which a new blob is safe from collection before a manifest names it.
    static let leaseSeconds: Int64 = 24 * 3600

    let directory: DataDirectory
    let files: any FileOperations
    let catalog: Catalog
    let health: StoreHealth
    let clock: @Sendable () -> Int64
    private let durableDirectories = KnownDirectories()
    /// For the hashes of uploads: more at once than there are processors would gain nothing.
    let hashSlots = BackgroundSlots(8)
    /// For their syncs: a disk does not become faster by more.
    let syncSlots = BackgroundSlots(16)

    init(
        directory: DataDirectory, files: any FileOperations, catalog: Catalog, health: StoreHealth,
        clock: @escaping @Sendable () -> Int64
    ) {
        self.directory = directory
        self.files = files
        self.catalog = catalog
        self.health = health
        self.clock = clock
    }

    /// Moves a synced staging file to its place and makes the catalog say so.
    /// - Precondition: the staging file holds exactly `size` bytes whose digest is `digest`, and is synced.
    func commit(stagingFile: String, digest: Digest, size: Int64, name: ArtifactName, upload: String) throws {
        // W4: the lease is there before the file can be found, in one transaction with the row. A blob that a collection
        // has condemned is no longer: the collection asks the state in the transaction in which it moves a file.
        let now = clock()
        try catalog.pool.write { database in
            try database.execute(
                sql: """
                    INSERT INTO blob (digest, size, state, touched_at) VALUES (?, ?, 'arriving', ?)
                    ON CONFLICT (digest) DO UPDATE SET touched_at = excluded.touched_at,
                        size = CASE state WHEN 'present' THEN size ELSE excluded.size END,
                        state = CASE state WHEN 'present' THEN 'present' ELSE 'arriving' END
                    """, arguments: [digest.column, size, now])
            try Self.lease(digest, to: upload, now, database)
            try Quota.hold([digest], name, database)
        }
        // W5: the name appears, whole, and its directory entry is durable.
        try makeDirectories(digest)
        try files.makeReadOnly(stagingFile)
        // In one transaction with W6: a scrub that has just read the bytes that were there before looks, within its own,
        // whether they still are.
        try catalog.pool.write { database in
            try place(stagingFile, at: directory.blobPath(digest))
            try synchronizeDirectory(directory.blobDirectory(digest).inner)
            // W6: only now may anybody be told that it is there.
            try database.execute(
                sql: "UPDATE blob SET state = 'present', size = ? WHERE digest = ?", arguments: [size, digest.column])
            try database.execute(sql: "DELETE FROM upload WHERE id = ?", arguments: [upload])
        }
    }

    /// Keeps a blob from collection for whoever pushes it, from `now` on, within the caller's transaction.
    static func lease(_ digest: Digest, to holder: String, _ now: Int64, _ database: Database) throws {
        try database.executeOften(
            "INSERT OR REPLACE INTO lease (digest, holder, expires_at) VALUES (?, ?, ?)",
            [digest.column, holder, now + leaseSeconds])
    }

    /// Makes a directory's entries durable. A failure ends writing, as for a file's bytes: a second call would lie.
    func synchronizeDirectory(_ path: String) throws(StoreError) {
        do {
            try files.synchronizeDirectory(path)
        } catch {
            health.degrade(error)
            throw StoreError(.degraded, StoreHealth.explanation, cause: error)
        }
    }

    /// Makes the two directories above a blob, durably. That they are there does not say that their entries were
    /// synced: whoever made them may not have got so far.
    private func makeDirectories(_ digest: Digest) throws {
        let (outer, inner) = directory.blobDirectory(digest)
        let isKnown = durableDirectories.contains(inner)
        if try files.makeDirectory(outer) || !isKnown { try synchronizeDirectory(directory.blobsPath) }
        if try files.makeDirectory(inner) || !isKnown { try synchronizeDirectory(outer) }
        durableDirectories.insert(inner)
    }

    /// Gives the staged file its final name. A file that is there already gives way: ours was verified a moment ago,
    /// and that one may have rotted since; who reads it keeps its bytes.
    private func place(_ stagingFile: String, at path: String) throws(FileFailure) {
        do throws(FileFailure) {
            try files.renameWithoutReplacing(stagingFile, to: path)
        } catch {
            guard error.isAlreadyThere else { throw error }
            try files.rename(stagingFile, to: path)
        }
    }
}

/// Directories whose entries this process has synced: 65,536 at most, as many as blobs spread over.
private final class KnownDirectories: Sendable {
    private let paths = Mutex<Set<String>>([])

    func contains(_ path: String) -> Bool { paths.withLock { $0.contains(path) } }
    func insert(_ path: String) { paths.withLock { _ = $0.insert(path) } }
}
