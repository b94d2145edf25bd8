internal import Artifacts
internal import Glibc

/// Reading staged bytes back.
enum StagedFile {
    /// Starts a hash anew over the first bytes of a file.
    /// - Returns: how many bytes were there, at most `limit`.
    ///
    /// With `fromDisk`, what the kernel has in memory of it does not count.
    static func hash(_ path: String, upTo limit: Int64, into hasher: SHA256, fromDisk: Bool = false) throws -> Int64 {
        _ = hasher.finish()
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure(operation: "open", path: path, errorNumber: errno) }
        defer { close(descriptor) }
        if fromDisk { posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var offset: Int64 = 0
        while offset < limit {
            let wanted = Int(min(Int64(buffer.count), limit - offset))
            let count = read(descriptor, &buffer, wanted)
            if count == 0 { break }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw FileFailure(operation: "read", path: path, errorNumber: errno)
            }
            buffer.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            offset += Int64(count)
        }
        return offset
    }
}
