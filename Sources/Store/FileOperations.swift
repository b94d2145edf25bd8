internal import CLinux
internal import Glibc

/// A system call that failed.
package struct FileFailure: Error, Equatable, Sendable, CustomStringConvertible {
    package let operation: String
    package let path: String
    package let errorNumber: Int32

    package init(operation: String, path: String, errorNumber: Int32) {
        self.operation = operation
        self.path = path
        self.errorNumber = errorNumber
    }

    /// The file system, or the quota, has no room left.
    package var isNoSpace: Bool { errorNumber == ENOSPC || errorNumber == EDQUOT }
    package var isAlreadyThere: Bool { errorNumber == EEXIST }
    package var isNotThere: Bool { errorNumber == ENOENT }

    package var description: String { "\(operation) \(path): \(String(cString: strerror(errorNumber)))" }
}

/// Every system call of the write path, so that a test can make any of them fail. Paths are absolute. Calls block.
package protocol FileOperations: Sendable {
    /// Opens for writing, creating the file with mode 0600 when it is absent.
    func openForWriting(_ path: String) throws(FileFailure) -> Int32
    /// Creates a file with mode 0444 and opens it for writing. Fails with EEXIST when there is one.
    func create(_ path: String) throws(FileFailure) -> Int32
    /// Writes at an offset; may write less than was given.
    func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int64, path: String) throws(FileFailure)
        -> Int
    /// Reserves room for the whole file, so that a full disk shows before the first byte. Does not change its size.
    func reserve(_ descriptor: Int32, size: Int64, path: String) throws(FileFailure)
    func truncate(_ descriptor: Int32, to size: Int64, path: String) throws(FileFailure)
    /// Starts writing pages back without waiting, so that the final sync is short.
    func startWriteback(_ descriptor: Int32)
    /// Makes the file's bytes durable.
    func synchronize(_ descriptor: Int32, path: String) throws(FileFailure)
    /// Makes a directory's entries durable.
    func synchronizeDirectory(_ path: String) throws(FileFailure)
    /// Opens a directory, for `synchronizeFileSystem`.
    func openDirectory(_ path: String) throws(FileFailure) -> Int32
    /// Makes everything durable that was written so far to the file system of an open directory, bytes and entries. Tells
    /// of writes that failed since the directory was opened (Linux 5.8), so open it before the first.
    func synchronizeFileSystem(_ descriptor: Int32, path: String) throws(FileFailure)
    func close(_ descriptor: Int32)
    /// Fails with EEXIST when the target exists.
    func renameWithoutReplacing(_ from: String, to: String) throws(FileFailure)
    func rename(_ from: String, to: String) throws(FileFailure)
    func makeReadOnly(_ path: String) throws(FileFailure)
    /// Makes a directory with mode 0750; no error when it is already there. True when this call made it.
    func makeDirectory(_ path: String) throws(FileFailure) -> Bool
    /// Removes a file; no error when it is absent.
    func removeFile(_ path: String) throws(FileFailure)
    /// Removes an empty directory; no error when it is absent.
    func removeDirectory(_ path: String) throws(FileFailure)
    /// The size of a regular file; nil when there is none.
    func size(_ path: String) throws(FileFailure) -> Int64?
    /// Bytes that an unprivileged writer may still use on the path's file system, and its total.
    func space(_ path: String) throws(FileFailure) -> (free: Int64, total: Int64)
}

extension FileOperations {
    /// Writes all of some bytes at an offset; `progress` is told of each part that is written, also when a later one fails.
    func writeAll(
        _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int64, path: String,
        progress: (Int) -> Void = { _ in }
    ) throws(FileFailure) {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = try write(descriptor, rest, at: offset + Int64(written), path: path)
            guard count > 0 else { throw FileFailure(operation: "write", path: path, errorNumber: EIO) }
            written += count
            progress(count)
        }
    }
}

/// The real system calls. Each is repeated on EINTR.
package struct SystemFileOperations: FileOperations {
    package init() {}

    private func check(_ operation: String, _ path: String, _ call: () -> Int32) throws(FileFailure) {
        while call() != 0 {
            guard errno == EINTR else { throw FileFailure(operation: operation, path: path, errorNumber: errno) }
        }
    }

    package func openForWriting(_ path: String) throws(FileFailure) -> Int32 {
        while true {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            if descriptor >= 0 { return descriptor }
            guard errno == EINTR else { throw FileFailure(operation: "open", path: path, errorNumber: errno) }
        }
    }

    package func create(_ path: String) throws(FileFailure) -> Int32 {
        while true {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o444)
            if descriptor >= 0 { return descriptor }
            guard errno == EINTR else { throw FileFailure(operation: "open", path: path, errorNumber: errno) }
        }
    }

    package func write(
        _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int64, path: String
    ) throws(FileFailure) -> Int {
        while true {
            let count = pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset))
            if count >= 0 { return count }
            guard errno == EINTR else { throw FileFailure(operation: "write", path: path, errorNumber: errno) }
        }
    }

    package func reserve(_ descriptor: Int32, size: Int64, path: String) throws(FileFailure) {
        guard size > 0 else { return }  // the kernel refuses to reserve nothing
        while clinux_reserve(descriptor, size) != 0 {
            switch errno {
            case EINTR: continue
            case EOPNOTSUPP, ENOSYS: return  // the file system cannot reserve: the writes will tell
            default: throw FileFailure(operation: "fallocate", path: path, errorNumber: errno)
            }
        }
    }

    package func truncate(_ descriptor: Int32, to size: Int64, path: String) throws(FileFailure) {
        try check("ftruncate", path) { ftruncate(descriptor, off_t(size)) }
    }

    package func startWriteback(_ descriptor: Int32) { _ = clinux_start_writeback(descriptor) }

    package func synchronize(_ descriptor: Int32, path: String) throws(FileFailure) {
        // Never repeated after an error: pages are marked clean and a second call would lie (Rebello, ATC '20).
        guard fsync(descriptor) == 0 else { throw FileFailure(operation: "fsync", path: path, errorNumber: errno) }
    }

    package func synchronizeDirectory(_ path: String) throws(FileFailure) {
        let descriptor = try openDirectory(path)
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFailure(operation: "fsync", path: path, errorNumber: errno) }
    }

    package func openDirectory(_ path: String) throws(FileFailure) -> Int32 {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure(operation: "open", path: path, errorNumber: errno) }
        return descriptor
    }

    package func synchronizeFileSystem(_ descriptor: Int32, path: String) throws(FileFailure) {
        guard clinux_synchronize_file_system(descriptor) == 0 else {
            throw FileFailure(operation: "syncfs", path: path, errorNumber: errno)
        }
    }

    package func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    package func renameWithoutReplacing(_ from: String, to: String) throws(FileFailure) {
        try check("renameat2", to) { clinux_rename_noreplace(from, to) }
    }

    package func rename(_ from: String, to: String) throws(FileFailure) {
        try check("rename", to) { Glibc.rename(from, to) }
    }

    package func makeReadOnly(_ path: String) throws(FileFailure) { try check("chmod", path) { chmod(path, 0o444) } }

    package func makeDirectory(_ path: String) throws(FileFailure) -> Bool {
        if mkdir(path, 0o750) == 0 { return true }
        guard errno == EEXIST else { throw FileFailure(operation: "mkdir", path: path, errorNumber: errno) }
        return false
    }

    package func removeFile(_ path: String) throws(FileFailure) {
        guard unlink(path) == 0 || errno == ENOENT else {
            throw FileFailure(operation: "unlink", path: path, errorNumber: errno)
        }
    }

    package func removeDirectory(_ path: String) throws(FileFailure) {
        guard rmdir(path) == 0 || errno == ENOENT else {
            throw FileFailure(operation: "rmdir", path: path, errorNumber: errno)
        }
    }

    package func size(_ path: String) throws(FileFailure) -> Int64? {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw FileFailure(operation: "stat", path: path, errorNumber: errno)
        }
        return status.st_mode & S_IFMT == S_IFREG ? Int64(status.st_size) : nil
    }

    package func space(_ path: String) throws(FileFailure) -> (free: Int64, total: Int64) {
        var status = statvfs()
        try check("statvfs", path) { statvfs(path, &status) }
        return (Int64(status.f_bavail) * Int64(status.f_frsize), Int64(status.f_blocks) * Int64(status.f_frsize))
    }
}
