package import Artifacts
internal import Glibc

/// The store's place on disk. One process at a time, one file system, a version:
/// `VERSION LOCK catalog.sqlite blobs/sha256/ab/cd/HEX staging/UPLOAD/data trash/HEX quarantine/HEX views/HEX`.
package final class DataDirectory: Sendable {
    /// The layout this program reads and writes.
    package static let version = 1

    package let path: String
    private let lock: DirectoryLock

    package var catalogPath: String { path + "/catalog.sqlite" }
    package var stagingPath: String { path + "/staging" }
    package var blobsPath: String { path + "/blobs/sha256" }
    /// Blobs that a collection took, for a while.
    package var trashPath: String { path + "/trash" }
    /// Bytes that no longer are what their name says, for whoever wants to look at them; an operator removes them.
    package var quarantinePath: String { path + "/quarantine" }

    /// What archives are as folders: one file for each, made anew where it is missing.
    package static func viewsPath(in path: String) -> String { path + "/views" }
    func viewPath(_ archive: Digest) -> String { "\(Self.viewsPath(in: path))/\(archive.hex)" }

    package func blobDirectory(_ digest: Digest) -> (outer: String, inner: String) {
        let hex = digest.hex
        let outer = "\(blobsPath)/\(hex.prefix(2))"
        return (outer, "\(outer)/\(hex.dropFirst(2).prefix(2))")
    }

    package func blobPath(_ digest: Digest) -> String { BlobPath.path(of: digest, below: path) }
    package func trashFile(_ digest: Digest) -> String { "\(trashPath)/\(digest.hex)" }
    package func quarantineFile(_ digest: Digest) -> String { "\(quarantinePath)/\(digest.hex)" }
    package func stagingDirectory(_ upload: String) -> String { "\(stagingPath)/\(upload)" }
    package func stagingFile(_ upload: String) -> String { "\(stagingPath)/\(upload)/data" }

    /// Opens the directory, making what is missing, and takes its lock until this value goes.
    /// - Throws: `StoreError` `locked` when another process has it, `unsupportedVersion` when a newer program wrote it,
    ///   `failure` when it cannot be made or spans two file systems.
    package init(path: String, files: any FileOperations) throws(StoreError) {
        self.path = path
        do {
            for directory in Self.parents(of: path) {
                if try files.makeDirectory(directory) {
                    try files.synchronizeDirectory(SmallFile.directory(of: directory))
                } else if directory == path {
                    // A start that died may have made it and not synced it; who may not read there did not make it.
                    try? files.synchronizeDirectory(SmallFile.directory(of: directory))
                }
            }
        } catch {
            throw StoreError(.failure, "data directory \(path) cannot be made", cause: error)
        }
        lock = try DirectoryLock(directory: path)
        do {
            try prepare(files)
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(.failure, "data directory \(path) cannot be prepared", cause: error)
        }
    }

    private static func parents(of path: String) -> [String] {
        var paths: [String] = []
        var current = ""
        for component in path.split(separator: "/") {
            current += "/" + component
            paths.append(current)
        }
        return paths
    }

    private func prepare(_ files: any FileOperations) throws {
        let versionPath = path + "/VERSION"
        if let text = SmallFile.read(versionPath) {
            guard let found = Int(String(decoding: text, as: UTF8.self).trimmingNewline),
                (1...Self.version).contains(found)
            else {
                throw StoreError(
                    .unsupportedVersion,
                    "data directory \(path) has a layout that this version does not know: use the newer program")
            }
        } else {
            try SmallFile.write(versionPath, Array("\(Self.version)\n".utf8), files)
        }
        for directory in ["/blobs", "/blobs/sha256", "/staging", "/trash", "/quarantine", "/views"] {
            _ = try files.makeDirectory(path + directory)
        }
        try files.synchronizeDirectory(path + "/blobs")
        try files.synchronizeDirectory(path)
        var blobs = stat()
        var staging = stat()
        guard stat(blobsPath, &blobs) == 0, stat(stagingPath, &staging) == 0, blobs.st_dev == staging.st_dev else {
            throw StoreError(.failure, "\(blobsPath) and \(stagingPath) must be on one file system")
        }
    }
}

extension String {
    fileprivate var trimmingNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
