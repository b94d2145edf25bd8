internal import CLinux
internal import Glibc

/// The bytes of one file for the length of one transfer.
package enum TFTPContent: Sendable {
    case bytes([UInt8])
    /// A piece of an open file.
    case file(OpenFile, offset: Int64, size: Int64)

    package var size: Int64 {
        switch self {
        case .bytes(let bytes): Int64(bytes.count)
        case .file(_, _, let size): size
        }
    }

    /// Copies bytes from `position` on; fewer than asked only at the end. nil when the file cannot be read or has
    /// become shorter.
    func read(at position: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        let wanted = Int(max(0, min(Int64(buffer.count), size - position)))
        guard wanted > 0 else { return 0 }
        switch self {
        case .bytes(let bytes):
            let start = Int(position)
            buffer.copyBytes(from: bytes[start..<start + wanted])
            return wanted
        case .file(let file, let offset, _):
            var done = 0
            while done < wanted {
                let count = pread(
                    file.descriptor, buffer.baseAddress.map { $0 + done }, wanted - done,
                    off_t(offset + position) + off_t(done))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return nil }
                done += count
            }
            return wanted
        }
    }
}

/// A file open for reading, closed with its last user.
package final class OpenFile: Sendable {
    package let descriptor: Int32
    /// Bytes when it was opened.
    package let size: Int64

    /// nil when there is no regular file that can be read.
    package init?(path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        size = Int64(status.st_size)
    }

    deinit { close(descriptor) }

    /// Bytes now; -1 when that cannot be told.
    package var currentSize: Int64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int64(status.st_size) : -1
    }

    /// A descriptor of the caller's own for the same file; nil when there are too many.
    package func duplicateDescriptor() -> Int32? {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        return copy >= 0 ? copy : nil
    }
}

extension OpenFile {
    /// Whether reading these bytes would not wait for the disk; true where that cannot be told.
    package func isCached(from offset: Int64, count: Int64) -> Bool {
        clinux_is_cached(descriptor, offset, count) != 0
    }

    /// Reads bytes for nothing but to have them in memory for who sends them. Blocks. What cannot be read is left to that one.
    package func warm(from offset: Int64, count: Int64) { _ = bytes(from: offset, count: count) }

    /// Some bytes, all of them as it comes; nil when they cannot be read. For small files only.
    package func bytes(from offset: Int64 = 0, count: Int64? = nil) -> [UInt8]? {
        let wanted = count ?? size - offset
        var bytes = [UInt8](repeating: 0, count: Int(wanted))
        let got = bytes.withUnsafeMutableBytes {
            TFTPContent.file(self, offset: offset, size: wanted).read(at: 0, into: $0)
        }
        return got.map { Int64($0) } == wanted ? bytes : nil
    }
}
