internal import Hummingbird
internal import NIOCore
internal import Store

/// Brings a request's body into an upload: while the store writes and hashes what came, the next pieces come in. Memory
/// does not grow with the body.
struct UploadBody {
    /// Bytes that are handed to the store together.
    private static let share = 1 << 20
    /// At most so many pieces: each keeps the whole buffer that it was received in.
    private static let pieces = 64

    let body: RequestBody
    let upload: Upload
    let turn: Upload.Turn

    /// - Throws: what the store or the connection did. What came before is appended then.
    func receive() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var pieces: [ReceivedPiece] = []
            var count = 0
            var interruption: (any Error)?
            func append() async throws {
                let next = pieces
                pieces = []
                count = 0
                // One at a time, in their order. Should the one before have failed, this one is dropped: nothing goes in
                // behind a gap.
                try await group.next()
                group.addTask { try await upload.append(next, turn: turn) }
            }
            do {
                for try await buffer in body {
                    pieces.append(ReceivedPiece(buffer: buffer))
                    count += buffer.readableBytes
                    if count >= Self.share || pieces.count >= Self.pieces { try await append() }
                }
            } catch {
                interruption = error
            }
            if !pieces.isEmpty { try await append() }
            try await group.next()
            if let interruption { throw interruption }
        }
    }
}

private struct ReceivedPiece: UploadPiece {
    let buffer: ByteBuffer

    var byteCount: Int { buffer.readableBytes }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try buffer.withUnsafeReadableBytes(body)
    }
}
