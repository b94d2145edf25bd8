internal import Glibc

/// The bytes of an archive, read by place. Whatever the archive says of places, nothing outside of it is read.
package final class ArchiveFile: Sendable {
    package let path: String
    /// Bytes.
    package let size: Int64
    private let descriptor: Int32

    /// - Throws: `ArchiveError` (`failure`).
    package init(path: String) throws(ArchiveError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ArchiveError(.failure, "\(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            close(descriptor)
            throw ArchiveError(.failure, "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        self.path = path
        size = Int64(status.st_size)
    }

    deinit { close(descriptor) }

    /// Exactly `count` bytes from `offset`.
    /// - Throws: `ArchiveError` (`damaged`) when they reach beyond the end, `failure` when the disk cannot read them.
    package func read(at offset: Int64, count: Int) throws(ArchiveError) -> [UInt8] {
        guard offset >= 0, count >= 0, offset <= size, Int64(count) <= size - offset else {
            throw ArchiveError(.damaged, "it ends before byte \(offset) + \(count): it is cut off")
        }
        guard count > 0 else { return [] }
        var done = 0
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while done < count {
                let got = pread(
                    descriptor, buffer.baseAddress.map { $0 + done }, count - done, off_t(offset) + off_t(done))
                if got < 0, errno == EINTR { continue }
                guard got > 0 else {
                    failed = true
                    break
                }
                done += got
            }
            filled = done
        }
        guard !failed else {
            throw ArchiveError(.failure, "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        return bytes
    }
}
