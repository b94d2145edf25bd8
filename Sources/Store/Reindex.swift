package import Artifacts
internal import GRDB
internal import Glibc
internal import Trust

/// Makes a catalog anew from the blobs, for when it was lost or is damaged. Names and tags are no part of a blob: they come
/// from what can still be read of the old catalog, else from the file of names beside it. Manifests that have no name there
/// are put under the name `recovered`, by digest. Histories of channels and the audit log are lost with the catalog; so are
/// keys and revocations where the old catalog cannot be read, and the report says so.
package struct Reindex: Sendable {
    package struct Report: Sendable {
        package var blobs = 0
        package var manifests = 0
        package var tags = 0
        /// Manifests without a name, now under `recovered`.
        package var recovered: [Digest] = []
        /// Files whose bytes are not those of their name, now in quarantine.
        package var quarantined: [Digest] = []
        /// Versions of which blobs are missing, and which ones: pushing them again mends them.
        package var incomplete: [(reference: Reference, missing: [Digest])] = []
        /// Whether keys that operators added, and those they revoked, are lost: nothing that was revoked counts as such.
        package var hasLostKeys = false
        /// Where the old catalog is now; nil when there was none.
        package var oldCatalog: String?
    }

    private let path: String
    private let clock: @Sendable () -> Int64
    private let files: any FileOperations

    /// - Parameters:
    ///   - path: The data directory.
    ///   - clock: Seconds since 1970.
    ///   - files: The system calls.
    package init(
        _ path: String, clock: @escaping @Sendable () -> Int64, files: any FileOperations = SystemFileOperations()
    ) {
        self.path = path
        self.clock = clock
        self.files = files
    }

    /// `progress` is told how many blobs were read.
    /// - Throws: `locked` while a server runs on the directory; `failure`. The old catalog is in its place then.
    package func run(progress: (Int) -> Void) throws(StoreError) -> Report {
        let directory = try DataDirectory(path: path, files: files)
        do {
            var report = Report()
            let lines = Self.lines(of: directory)
            let trust = Self.trust(of: directory)
            report.hasLostKeys = trust == nil
            let draft = directory.catalogPath + ".reindex"
            for rest in ["", "-wal", "-shm", "-journal"] { try files.removeFile(draft + rest) }
            let queue = try DatabaseQueue(path: draft)
            try Catalog.migrate(queue)
            try readBlobs(directory, queue, &report, progress)
            try queue.write { database in
                try insert(lines, database, directory, &report)
                for key in trust?.added ?? [] { try key.insert(database) }
                for revocation in trust?.revocations ?? [] { try revocation.insert(database) }
            }
            try queue.close()
            try replace(directory, draft, &report)
            return report
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(.failure, "\(path) cannot be indexed", cause: error)
        }
    }

    /// Keys and revocations; nil when the old catalog cannot tell.
    private static func trust(of directory: DataDirectory) -> TrustState? {
        var configuration = Configuration()
        configuration.readonly = true
        return try? DatabaseQueue(path: directory.catalogPath, configuration: configuration).read { database in
            try TrustState(policy: TrustPolicy(), packaged: [], database)
        }
    }

    private static func lines(of directory: DataDirectory) -> [NamesFile.Line] {
        var found: [NamesFile.Line] = []
        var configuration = Configuration()
        configuration.readonly = true
        do {
            let queue = try DatabaseQueue(path: directory.catalogPath, configuration: configuration)
            try queue.read { database in try NamesFile.forEachLine(database) { found.append($0) } }
        } catch {
            found = []
        }
        // A catalog that lists nothing may be one that a start made because the right one was lost.
        return found.isEmpty ? NamesFile.read(NamesFile.path(in: directory.path)) : found
    }

    private func readBlobs(
        _ directory: DataDirectory, _ queue: DatabaseQueue, _ report: inout Report, _ progress: (Int) -> Void
    ) throws {
        let hasher = try SHA256()
        for outer in DirectoryListing.names(directory.blobsPath) {
            for inner in DirectoryListing.names("\(directory.blobsPath)/\(outer)") {
                let folder = "\(directory.blobsPath)/\(outer)/\(inner)"
                for name in DirectoryListing.names(folder) {
                    guard let digest = try? Digest(hex: name), directory.blobPath(digest) == "\(folder)/\(name)" else {
                        continue
                    }
                    let size = try readable { try StagedFile.hash("\(folder)/\(name)", upTo: .max, into: hasher) }
                    if let size, hasher.finish() == digest {
                        try queue.write {
                            try $0.execute(
                                sql: "INSERT INTO blob (digest, size, state, touched_at) VALUES (?, ?, 'present', ?)",
                                arguments: [digest.column, size, clock()])
                        }
                        report.blobs += 1
                        progress(report.blobs)
                    } else {
                        try files.rename("\(folder)/\(name)", to: directory.quarantineFile(digest))
                        report.quarantined.append(digest)
                    }
                }
            }
        }
    }

    /// nil when the disk cannot read a place, twice: that is as good as rotten. Any other failure ends the run.
    private func readable(_ read: () throws -> Int64) throws -> Int64? {
        for _ in 0..<2 {
            do {
                return try read()
            } catch let failure as FileFailure where failure.errorNumber == EIO {
                continue
            }
        }
        return nil
    }

    private func insert(
        _ lines: [NamesFile.Line], _ database: Database, _ directory: DataDirectory, _ report: inout Report
    ) throws {
        var named: Set<Digest> = []
        for line in lines where line.tag == nil {
            guard let name = try? ArtifactName(line.name) else { continue }
            try insert(manifest(line.digest, directory), line, name, database, &report)
            named.insert(line.digest)
        }
        for line in lines {
            guard let tag = line.tag, let name = try? ArtifactName(line.name), (try? Tag(tag)) != nil else { continue }
            let isThere = try Bool.fetchOne(
                database, sql: "SELECT 1 FROM manifest WHERE name = ? AND digest = ?",
                arguments: [name.description, line.digest.column])
            guard isThere == true else { continue }
            try database.execute(
                sql: "INSERT OR IGNORE INTO tag (name, tag, digest, updated_at, is_channel) VALUES (?, ?, ?, ?, ?)",
                arguments: [name.description, tag, line.digest.column, line.time, line.isChannel ?? false])
            if line.isChannel == true {
                try database.execute(
                    sql: """
                        INSERT OR IGNORE INTO channel_move (name, channel, sequence, digest, moved_at, actor)
                        VALUES (?, ?, 1, ?, ?, 'reindex')
                        """, arguments: [name.description, tag, line.digest.column, line.time])
            }
            report.tags += 1
        }
        try recover(named, database, directory, &report)
        try AuditLog(clock: clock).append(
            database, "reindex", path, "\(report.blobs) blobs, \(report.manifests) manifests, \(report.tags) tags",
            by: "local")
    }

    /// Manifests among the blobs that no line names, and that no manifest lists.
    private func recover(
        _ named: Set<Digest>, _ database: Database, _ directory: DataDirectory, _ report: inout Report
    ) throws {
        let name = try ArtifactName("recovered")
        let small = try Row.fetchAll(
            database, sql: "SELECT digest FROM blob WHERE size BETWEEN 20 AND ? ORDER BY digest",
            arguments: [Manifest.maximumSize])
        for row in small {
            let digest = try Digest(hex: row["digest"] as String)
            guard !named.contains(digest), let manifest = manifest(digest, directory),
                manifest.value.config != nil || manifest.value.manifests != nil
            else { continue }
            try insert(
                manifest, NamesFile.Line(name: name.description, digest: digest, time: clock()), name, database, &report
            )
            report.recovered.append(digest)
        }
    }

    private func manifest(_ digest: Digest, _ directory: DataDirectory) -> (value: Manifest, size: Int)? {
        guard let bytes = SmallFile.read(directory.blobPath(digest), limit: Manifest.maximumSize),
            SHA256.digest(of: bytes) == digest, let manifest = try? Manifest(json: bytes)
        else { return nil }
        return (manifest, bytes.count)
    }

    /// Inserts a manifest, also one whose bytes are gone: its names and what it lists stay, and a push of it mends it.
    private func insert(
        _ manifest: (value: Manifest, size: Int)?, _ line: NamesFile.Line, _ name: ArtifactName, _ database: Database,
        _ report: inout Report
    ) throws {
        let value = manifest?.value
        let isIndex = value?.manifests != nil
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO manifest (name, digest, media_type, artifact_type, subject, size, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                name.description, line.digest.column,
                line.mediaType ?? value?.mediaType ?? (isIndex ? MediaType.imageIndex : MediaType.imageManifest),
                value?.referrerType, value?.subject?.digest.column, manifest?.size ?? line.size ?? 0, line.time,
            ])
        let sizes = Dictionary(value?.descriptors.map { ($0.digest, $0.size) } ?? []) { first, _ in first }
        let needed = value.map { ArtifactStore.references(of: $0) } ?? line.references ?? []
        for digest in needed {
            try database.execute(
                sql: "INSERT OR IGNORE INTO manifest_reference (name, manifest, digest) VALUES (?, ?, ?)",
                arguments: [name.description, line.digest.column, digest.column])
        }
        var missing: [Digest] = []
        for digest in needed + [line.digest] {
            // What is listed and not there is known as lost: the scrub tells of it.
            // A manifest may claim any size for it: no more than a disk could have.
            let claimed: Int64 = sizes[digest] ?? (digest == line.digest ? line.size : nil) ?? 0
            let size = min(claimed, 1 << 50)
            try database.execute(
                sql: "INSERT OR IGNORE INTO blob (digest, size, state, touched_at) VALUES (?, ?, 'corrupt', ?)",
                arguments: [digest.column, size, clock()])
            let isThere = try Bool.fetchOne(
                database, sql: "SELECT state = 'present' FROM blob WHERE digest = ?", arguments: [digest.column])
            if isThere != true { missing.append(digest) }
            try database.execute(
                sql: "INSERT OR IGNORE INTO repository_blob (name, digest) VALUES (?, ?)",
                arguments: [name.description, digest.column])
        }
        if !missing.isEmpty {
            report.incomplete.append((Reference(name: name, version: .digest(line.digest)), missing))
        }
        report.manifests += 1
    }

    private func replace(_ directory: DataDirectory, _ draft: String, _ report: inout Report) throws {
        let descriptor = try files.openForWriting(draft)
        defer { files.close(descriptor) }
        try files.synchronize(descriptor, path: draft)
        if try files.size(directory.catalogPath) != nil {
            // Never over an earlier one: it may be the last that has the audit log.
            var old = directory.catalogPath + ".old"
            var number = 2
            while try files.size(old) != nil {
                old = "\(directory.catalogPath).old\(number)"
                number += 1
            }
            for rest in ["", "-wal", "-shm"] {
                try files.removeFile(old + rest)
                if try files.size(directory.catalogPath + rest) != nil {
                    try files.rename(directory.catalogPath + rest, to: old + rest)
                }
            }
            report.oldCatalog = old
        }
        try files.rename(draft, to: directory.catalogPath)
        try files.synchronizeDirectory(path)
    }
}
