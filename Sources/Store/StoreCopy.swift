internal import Artifacts
internal import GRDB
internal import Glibc

/// Copies a data directory: a backup from one that may be in use, or a restore into a new one. The copy is a data directory
/// itself. The catalog is copied first and put in its place last, so an interrupted copy leaves what was there before;
/// blobs that an earlier copy brought are not read again.
///
/// Every byte that is copied is compared with its digest: what has rotted is told, marked as lost in the copy, and mended
/// by a push.
package struct StoreCopy: Sendable {
    package struct Report: Sendable {
        package var copiedCount = 0
        package var copiedBytes: Int64 = 0
        /// Blobs that the target had.
        package var keptCount = 0
        /// Blobs that are whole nowhere.
        package var lost: [CorruptBlob] = []
    }

    /// What else belongs to a data directory: databases, which are copied by SQLite, and small secrets.
    package struct Companions: Sendable {
        package var databases: [String]
        package var smallFiles: [String]

        package init(databases: [String], smallFiles: [String]) {
            self.databases = databases
            self.smallFiles = smallFiles
        }
    }

    private let source: String
    private let target: String
    private let companions: Companions
    private let verifiesTarget: Bool
    private let files: any FileOperations

    /// Both are absolute paths. With `verifiesTarget`, blobs that the target holds already are read and compared too.
    package init(
        from source: String, to target: String, companions: Companions, verifiesTarget: Bool = false,
        files: any FileOperations = SystemFileOperations()
    ) {
        self.source = source
        self.target = target
        self.companions = companions
        self.verifiesTarget = verifiesTarget
        self.files = files
    }

    /// `progress` is told the bytes that are done and those there are in all.
    /// - Throws: `failure` when the source is no data directory or the target cannot be written; `locked` when the target is
    ///   in use; `noSpace`. What the target held before is still there then.
    package func run(progress: (Int64, Int64) -> Void) throws(StoreError) -> Report {
        guard (try? files.size(source + "/catalog.sqlite")) ?? nil != nil else {
            throw StoreError(.failure, "\(source) is no data directory: it holds no catalog.sqlite")
        }
        let directory = try DataDirectory(path: target, files: files)
        do {
            let draft = directory.catalogPath + ".copy"
            try snapshot("catalog.sqlite", to: draft)
            // As of the same moment, as near as can be.
            let databases = try companions.databases.filter { try files.size("\(source)/\($0)") != nil }
            for name in databases { try snapshot(name, to: "\(target)/\(name).copy") }
            var report = Report()
            let queue = try DatabaseQueue(path: draft)
            try prepare(queue)
            try copyBlobs(queue, directory, &report, progress)
            report.lost = try queue.read { database in
                try ArtifactStore.corruptBlobs(database)
            }
            try queue.close()
            for name in databases { try put("\(target)/\(name).copy", at: "\(target)/\(name)") }
            for name in companions.smallFiles {
                guard let bytes = try SmallFile.readIfPresent("\(source)/\(name)", limit: 1 << 30) else { continue }
                try SmallFile.write("\(target)/\(name)", bytes, files)
            }
            try put(draft, at: directory.catalogPath)
            return report
        } catch let error as StoreError {
            throw error
        } catch let failure as FileFailure {
            throw StoreError(
                failure.isNoSpace ? .noSpace : .failure, "\(failure.path) cannot be copied", cause: failure)
        } catch {
            throw StoreError(.failure, "\(source) cannot be copied to \(target)", cause: error)
        }
    }

    /// A whole copy of a database as of one moment, whoever writes to it meanwhile (SQLite, "VACUUM INTO").
    private func snapshot(_ name: String, to path: String) throws {
        try files.removeFile(path)
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        let queue = try DatabaseQueue(path: "\(source)/\(name)", configuration: configuration)
        try queue.inDatabase { try $0.execute(sql: "VACUUM INTO ?", arguments: [path]) }
        try queue.close()
    }

    /// Puts a database in its place, durably.
    private func put(_ draft: String, at path: String) throws {
        let descriptor = try files.openForWriting(draft)
        defer { files.close(descriptor) }
        try files.synchronize(descriptor, path: draft)
        for rest in ["-wal", "-shm"] { try files.removeFile(path + rest) }
        try files.rename(draft, to: path)
        try files.synchronizeDirectory(target)
    }

    /// What was under way in the source is not in the copy.
    private func prepare(_ queue: DatabaseQueue) throws {
        try Catalog.migrate(queue)
        try queue.write { database in
            try database.execute(sql: "DELETE FROM upload")
            try database.execute(sql: "DELETE FROM lease")
            // What is on its way and listed already was corrupt before: it is looked for, and told when it is nowhere.
            try database.execute(
                sql: """
                    UPDATE blob SET state = 'corrupt'
                    WHERE state NOT IN ('present', 'corrupt') AND \(ArtifactStore.isReferenced)
                    """)
            try database.execute(sql: "DELETE FROM blob WHERE state NOT IN ('present', 'corrupt')")
            try database.execute(
                sql: "DELETE FROM repository_blob WHERE digest NOT IN (SELECT digest FROM blob)")
        }
    }

    private func copyBlobs(
        _ queue: DatabaseQueue, _ directory: DataDirectory, _ report: inout Report, _ progress: (Int64, Int64) -> Void
    ) throws {
        let total = try queue.read {
            try Int64.fetchOne($0, sql: "SELECT COALESCE(SUM(size), 0) FROM blob") ?? 0
        }
        var done: Int64 = 0
        var last = ""
        var touched: Set<String> = []
        while true {
            let page = try queue.read {
                try Row.fetchAll(
                    $0,
                    sql:
                        "SELECT digest, size, state FROM blob WHERE digest > ? ORDER BY digest LIMIT 500",
                    arguments: [last])
            }
            guard let end = page.last else { break }
            last = end["digest"]
            for row in page {
                let digest = try Digest(hex: row["digest"] as String)
                let size: Int64 = row["size"]
                let isPresent = row["state"] == "present"
                // Of what a manifest that is lost has listed, the size is not known.
                let isSizeKnown = size > 0 || isPresent
                var isThere = false
                // One that is lost in the source may be whole here: that is what a backup is for.
                if try isKept(digest, isSizeKnown ? size : nil, directory, trusting: isPresent) {
                    report.keptCount += 1
                    isThere = true
                } else if try copy(digest, directory) {
                    report.copiedCount += 1
                    report.copiedBytes += size
                    touched.insert(directory.blobDirectory(digest).inner)
                    isThere = true
                }
                if isThere != isPresent {
                    let found = isThere ? try files.size(directory.blobPath(digest)) ?? size : size
                    try queue.write {
                        try $0.execute(
                            sql: "UPDATE blob SET state = ?, size = ? WHERE digest = ?",
                            arguments: [isThere ? "present" : "corrupt", found, digest.column])
                    }
                }
                done += size
                progress(done, total)
            }
        }
        for path in touched.sorted() {
            try files.synchronizeDirectory(path)
            try files.synchronizeDirectory(SmallFile.directory(of: path))
        }
        try files.synchronizeDirectory(directory.blobsPath)
    }

    /// Whether the target has a blob. Its name says that an earlier copy has compared it, but for a restore, whose target may
    /// hold anything.
    private func isKept(
        _ digest: Digest, _ size: Int64?, _ directory: DataDirectory, trusting isTrusted: Bool
    ) throws -> Bool {
        guard let found = try files.size(directory.blobPath(digest)), size == nil || size == found else { return false }
        if isTrusted, !verifiesTarget { return true }
        let hasher = try SHA256()
        return try StagedFile.hash(directory.blobPath(digest), upTo: .max, into: hasher) == found
            && hasher.finish() == digest
    }

    /// False when the bytes are whole neither in their place nor in the trash of a collection that came in between.
    private func copy(_ digest: Digest, _ directory: DataDirectory) throws -> Bool {
        // As an upload, so that whoever opens the copy clears away what an interruption has left.
        let draft = directory.stagingFile(digest.hex)
        _ = try files.makeDirectory(directory.stagingDirectory(digest.hex))
        defer { try? files.removeDirectory(directory.stagingDirectory(digest.hex)) }
        let (outer, inner) = directory.blobDirectory(digest)
        _ = try files.makeDirectory(outer)
        _ = try files.makeDirectory(inner)
        for path in [BlobPath.path(of: digest, below: source), "\(source)/trash/\(digest.hex)"] {
            try files.removeFile(draft)
            guard try measureCopy(path, to: draft) == digest else { continue }
            try files.makeReadOnly(draft)
            try files.rename(draft, to: directory.blobPath(digest))
            return true
        }
        try files.removeFile(draft)
        return false
    }

    /// The digest of the bytes that were copied, durably; nil when the source cannot be read.
    private func measureCopy(_ path: String, to draft: String) throws -> Digest? {
        let input = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard input >= 0 else { return nil }
        defer { close(input) }
        let output = try files.openForWriting(draft)
        defer { files.close(output) }
        let hasher = try SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var offset: Int64 = 0
        while true {
            let count = read(input, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { break }
            try buffer.withUnsafeBytes { bytes in
                let part = UnsafeRawBufferPointer(rebasing: bytes[..<count])
                try files.writeAll(output, part, at: offset, path: draft)
                hasher.update(part)
            }
            offset += Int64(count)
        }
        try files.synchronize(output, path: draft)
        return hasher.finish()
    }
}
