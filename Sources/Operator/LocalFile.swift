internal import Artifacts
internal import Foundation
internal import NIOCore

/// A file to push: opened once, so that what is hashed and what is sent are one file.
final class LocalFile: Sendable {
    static let pieceSize = 1 << 20

    /// As the operator wrote it.
    let name: String
    let path: ArtifactPath
    let size: Int64
    private let descriptor: Int32

    /// - Throws: `OperatorError` `file`; `ArtifactError` when the name cannot be a path of an artifact.
    init(_ name: String, path: ArtifactPath) throws {
        self.name = name
        self.path = path
        descriptor = open(name, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw OperatorError(.file, "\(name) cannot be read: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw OperatorError(.file, "\(name) is not a regular file")
        }
        size = Int64(status.st_size)
    }

    deinit { close(descriptor) }

    /// The same for as long as nobody replaces or changes the file, as far as the file system tells.
    var identity: Digest {
        var status = stat()
        fstat(descriptor, &status)
        let text =
            "\(name) \(size) \(status.st_dev) \(status.st_ino) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)"
        return SHA256.digest(of: text.utf8)
    }

    /// Bytes from an offset; empty at the end.
    /// - Throws: `OperatorError` `file` when the file cannot be read or has become shorter.
    func piece(at offset: Int64) throws -> ByteBuffer {
        let wanted = Int(min(Int64(Self.pieceSize), size - offset))
        guard wanted > 0 else { return ByteBuffer() }
        var buffer = ByteBuffer()
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { bytes in
            while true {
                let count = pread(descriptor, bytes.baseAddress, wanted, off_t(offset))
                if count > 0 { return count }
                if count < 0, errno == EINTR { continue }
                throw OperatorError(
                    .file,
                    count == 0
                        ? "\(name) became shorter while it was read"
                        : "\(name) cannot be read: \(String(cString: strerror(errno)))")
            }
        }
        return buffer
    }

    /// The digest of the whole file.
    func digest(progress: (Int64) -> Void) throws -> Digest {
        let hasher = try SHA256()
        var offset: Int64 = 0
        while offset < size {
            let piece = try piece(at: offset)
            piece.withUnsafeReadableBytes { hasher.update($0) }
            offset += Int64(piece.readableBytes)
            progress(offset)
        }
        return hasher.finish()
    }
}
