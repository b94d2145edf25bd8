internal import Glibc

/// Whole small files: versions, keys, site files.
package enum SmallFile {
    private static let pieceSize = 256 << 10

    /// nil when the file is absent or cannot be read: for files whose absence and damage are answered alike.
    package static func read(_ path: String, limit: Int = 64 << 20) -> [UInt8]? {
        (try? readIfPresent(path, limit: limit)) ?? nil
    }

    /// nil only when there is no such file. For files that are made where they are absent: one that cannot be read just
    /// now must not be replaced. At most `limit` bytes and one are returned, so that a caller can tell a file that is too
    /// large.
    package static func readIfPresent(_ path: String, limit: Int = 64 << 20) throws(FileFailure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw FileFailure(operation: "open", path: path, errorNumber: errno)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= limit {
            let count = Glibc.read(descriptor, &chunk, min(chunk.count - 1, limit - bytes.count) + 1)
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw FileFailure(operation: "read", path: path, errorNumber: errno)
            }
            bytes += chunk[..<count]
        }
        return bytes
    }

    /// Writes a file whole or not at all, durably: temporary file, sync, rename, sync of the directory. Mode 0600.
    package static func write(_ path: String, _ bytes: [UInt8], _ files: any FileOperations) throws {
        try write(path, files) { try $0(bytes) }
    }

    /// The same, piece by piece, for a file that need not be in memory.
    static func write(
        _ path: String, _ files: any FileOperations, _ body: (_ write: ([UInt8]) throws -> Void) throws -> Void
    ) throws {
        let temporary = path + ".new"
        try files.removeFile(temporary)
        let descriptor = try files.openForWriting(temporary)
        defer { files.close(descriptor) }
        var buffer: [UInt8] = []
        var offset: Int64 = 0
        func flush() throws {
            try buffer.withUnsafeBytes { try files.writeAll(descriptor, $0, at: offset, path: temporary) }
            offset += Int64(buffer.count)
            buffer.removeAll(keepingCapacity: true)
        }
        try body { bytes in
            buffer += bytes
            if buffer.count >= pieceSize { try flush() }
        }
        try flush()
        try files.synchronize(descriptor, path: temporary)
        try files.rename(temporary, to: path)
        try files.synchronizeDirectory(directory(of: path))
    }

    /// The directory that holds the entry of an absolute path.
    static func directory(of path: String) -> String {
        "/" + path.split(separator: "/").dropLast().joined(separator: "/")
    }
}
