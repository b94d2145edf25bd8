internal import Glibc

/// Whole small files: versions, keys, site files.
package enum SmallFile {
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
        let temporary = path + ".new"
        try files.removeFile(temporary)
        let descriptor = try files.openForWriting(temporary)
        defer { files.close(descriptor) }
        var offset = 0
        while offset < bytes.count {
            let written = try bytes.withUnsafeBytes { buffer in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
                return try files.write(descriptor, rest, at: Int64(offset), path: temporary)
            }
            guard written > 0 else { throw FileFailure(operation: "write", path: temporary, errorNumber: EIO) }
            offset += written
        }
        try files.synchronize(descriptor, path: temporary)
        try files.rename(temporary, to: path)
        try files.synchronizeDirectory(directory(of: path))
    }

    /// The directory that holds the entry of an absolute path.
    static func directory(of path: String) -> String {
        "/" + path.split(separator: "/").dropLast().joined(separator: "/")
    }
}
