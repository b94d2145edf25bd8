internal import Glibc
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix
internal import Store

/// Reads a part of a blob piece by piece on the threads for blocking calls, never more than one piece ahead of the client.
final class BlobReader: Sendable {
    private static let pieceSize = 256 << 10

    private let descriptor: Int32
    private let end: Int64
    private let position: NIOLockedValueBox<Int64>

    init(path: String, part: Range<Int64>) throws(StoreError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        end = part.upperBound
        position = NIOLockedValueBox(part.lowerBound)
        guard descriptor >= 0 else { throw StoreError(.failure, "the blob cannot be read", cause: nil) }
    }

    deinit { close(descriptor) }

    /// The next piece; nil at the end.
    /// - Throws: `StoreError` when the file is shorter than it should be.
    func next() async throws -> ByteBuffer? {
        let start = position.withLockedValue { $0 }
        guard start < end else { return nil }
        let descriptor = descriptor
        let wanted = Int(min(Int64(Self.pieceSize), end - start))
        let buffer = try await NIOThreadPool.singleton.runIfActive { () throws -> ByteBuffer in
            var buffer = ByteBuffer()
            try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { bytes in
                let count = pread(descriptor, bytes.baseAddress, wanted, off_t(start))
                guard count > 0 else { throw StoreError(.failure, "the blob ended early") }
                return count
            }
            return buffer
        }
        position.withLockedValue { $0 = start + Int64(buffer.readableBytes) }
        return buffer
    }
}
