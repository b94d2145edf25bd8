package import Artifacts
internal import GRDB
internal import Glibc

/// A blob that was read and compared with its name.
package struct ScrubFinding: Sendable, Hashable {
    package let digest: Digest
    /// Bytes.
    package let size: Int64
    /// False: it was put into quarantine, and is missing from now on.
    package let isWhole: Bool
}

/// A blob whose bytes were lost, and where it is missed.
package struct CorruptBlob: Sendable, Hashable {
    package let digest: Digest
    package let size: Int64
    /// What lists it: pushing any of these again mends it.
    package let references: [Reference]
}

/// Where the scrub is.
package struct ScrubState: Sendable, Hashable {
    /// Blobs that are still to be read in this pass.
    package let remainingCount: Int
    package let remainingBytes: Int64
    /// Seconds since 1970; nil before the first pass has ended.
    package let passEndedAt: Int64?
    package let corrupt: [CorruptBlob]
}

/// The scrub: every blob is read now and then and compared with its name. One that has rotted is put into quarantine and
/// no longer served, and a push of the same bytes mends it.
extension ArtifactStore {
    private static let pieceSize = 1 << 20

    /// Reads the next blob in the order of digests, from the first again after the last. Where it was is remembered
    /// over restarts.
    ///
    /// `pace` is told how many bytes were read, and may wait.
    /// - Returns: nil when a pass has ended: the next call begins another.
    /// - Throws: `failure`; what `pace` throws, such as a cancellation.
    package func scrubNext(pace: @Sendable (Int) async throws -> Void) async throws -> ScrubFinding? {
        let next = try withCatalog { pool in
            try pool.read { database in
                try Row.fetchOne(
                    database,
                    sql: """
                        SELECT digest, size FROM blob
                        WHERE state = 'present' AND digest > (SELECT position FROM scrub) ORDER BY digest LIMIT 1
                        """)
            }
        }
        guard let next else {
            try remember("", passEndedAt: clock())
            return nil
        }
        let digest = try Digest(hex: next["digest"] as String)
        let isWhole: Bool
        do {
            isWhole = try await self.isWhole(digest, size: next["size"], pace: pace)
        } catch {
            // One that cannot be looked at does not hold up those after it; one that was interrupted is looked at again.
            if !(error is CancellationError) { try remember(digest.column, passEndedAt: nil) }
            throw error
        }
        try remember(digest.column, passEndedAt: nil)
        return ScrubFinding(digest: digest, size: next["size"], isWhole: isWhole)
    }

    /// Where the scrub is, and what it has found.
    /// - Throws: `failure`.
    package func scrubState() throws(StoreError) -> ScrubState {
        try withCatalog { pool in
            try pool.read { database in
                let rest = try Row.fetchOne(
                    database,
                    sql: """
                        SELECT COUNT(*) AS count, COALESCE(SUM(size), 0) AS bytes FROM blob
                        WHERE state = 'present' AND digest > (SELECT position FROM scrub)
                        """)
                return ScrubState(
                    remainingCount: rest?["count"] ?? 0, remainingBytes: rest?["bytes"] ?? 0,
                    passEndedAt: try Int64.fetchOne(database, sql: "SELECT pass_ended_at FROM scrub"),
                    corrupt: try Self.corruptBlobs(database))
            }
        }
    }

    static func corruptBlobs(_ database: Database) throws -> [CorruptBlob] {
        try Row.fetchAll(
            database,
            sql: "SELECT digest, size FROM blob WHERE state = 'corrupt' AND state != 'present' ORDER BY digest"
        ).map {
            let digest = try Digest(hex: $0["digest"] as String)
            return CorruptBlob(digest: digest, size: $0["size"], references: try references(database, to: digest))
        }
    }

    private func remember(_ position: String, passEndedAt: Int64?) throws(StoreError) {
        try withCatalog { pool in
            try pool.write {
                try $0.execute(
                    sql: "UPDATE scrub SET position = ?, pass_ended_at = COALESCE(?, pass_ended_at)",
                    arguments: [position, passEndedAt])
            }
        }
    }

    private func isWhole(
        _ digest: Digest, size: Int64, pace: @Sendable (Int) async throws -> Void
    ) async throws -> Bool {
        let path = directory.blobPath(digest)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            // Gone by a collection meanwhile, or lost: the transaction below tells.
            if errno == ENOENT { return try !quarantine(digest, file: nil) }
            throw FileFailure(operation: "open", path: path, errorNumber: errno)
        }
        defer { close(descriptor) }
        let hasher = try SHA256()
        var buffer = [UInt8](repeating: 0, count: Self.pieceSize)
        var offset: Int64 = 0
        var failures = 0
        while true {
            let count = pread(descriptor, &buffer, buffer.count, off_t(offset))
            if count < 0, errno == EINTR { continue }
            if count < 0, failures == 0 {
                failures += 1
                continue
            }
            // A place on the disk that cannot be read twice is as good as rotten.
            guard count > 0 else { break }
            buffer.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            // Machines that boot want the page cache for what they are given.
            posix_fadvise(descriptor, off_t(offset), off_t(count), POSIX_FADV_DONTNEED)
            offset += Int64(count)
            try await pace(count)
        }
        guard offset != size || hasher.finish() != digest else { return true }
        return try !quarantine(digest, file: descriptor)
    }

    /// Takes a blob out of use, unless it was collected or pushed again since it was read.
    /// - Returns: whether it was taken.
    private func quarantine(_ digest: Digest, file: Int32?) throws(StoreError) -> Bool {
        let path = directory.blobPath(digest)
        return try withCatalog { pool in
            try pool.write { database in
                let state = try String.fetchOne(
                    database, sql: "SELECT state FROM blob WHERE digest = ?", arguments: [digest.column])
                guard state == "present", Self.isSame(path, file) else { return false }
                if file != nil {
                    try files.rename(path, to: directory.quarantineFile(digest))
                    try files.synchronizeDirectory(directory.quarantinePath)
                    try files.synchronizeDirectory(directory.blobDirectory(digest).inner)
                }
                try database.execute(
                    sql: "UPDATE blob SET state = 'corrupt', changed_at = ? WHERE digest = ?",
                    arguments: [lifetimeClock(), digest.column])
                try audit.append(database, "quarantine", digest.description, by: "scrub")
                return true
            }
        }
    }

    /// Whether a path still leads to an open file; for none, whether it leads nowhere.
    private static func isSame(_ path: String, _ descriptor: Int32?) -> Bool {
        var there = stat()
        guard stat(path, &there) == 0 else { return descriptor == nil }
        var open = stat()
        guard let descriptor, fstat(descriptor, &open) == 0 else { return false }
        return there.st_dev == open.st_dev && there.st_ino == open.st_ino
    }

    /// The versions that list a blob, by a tag where they have one.
    private static func references(_ database: Database, to digest: Digest) throws -> [Reference] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT manifest.name, manifest.digest, MIN(tag.tag) AS tag FROM manifest
                LEFT JOIN tag ON tag.name = manifest.name AND tag.digest = manifest.digest AND NOT tag.is_channel
                WHERE manifest.digest = ?1 OR EXISTS (
                    SELECT 1 FROM manifest_reference
                    WHERE manifest_reference.name = manifest.name AND manifest_reference.manifest = manifest.digest
                        AND manifest_reference.digest = ?1)
                GROUP BY manifest.name, manifest.digest ORDER BY manifest.name, tag
                """, arguments: [digest.column]
        ).map { row in
            let version: Version =
                if let tag = row["tag"] as String? {
                    .tag(try Tag(tag))
                } else {
                    .digest(try Digest(hex: row["digest"] as String))
                }
            return Reference(name: try ArtifactName(row["name"] as String), version: version)
        }
    }
}
