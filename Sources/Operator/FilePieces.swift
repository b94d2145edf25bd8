internal import Artifacts
internal import NIOCore
internal import Synchronization

/// A file's bytes from an offset on, as they are asked for: while one piece is sent, the next is read and hashed.
struct FilePieces: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let file: LocalFile
    let start: Int64
    let digester: FileDigester
    let progress: @Sendable (Int64) -> Void

    private func piece(at offset: Int64) throws -> ByteBuffer? {
        guard offset < file.size else { return nil }
        let piece = try file.piece(at: offset)
        try digester.see(piece, at: offset)
        return piece
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let pieces: FilePieces
        var offset: Int64
        private var coming: Task<ByteBuffer?, any Error>?

        init(_ pieces: FilePieces) {
            self.pieces = pieces
            offset = pieces.start
        }

        mutating func next() async throws -> ByteBuffer? {
            guard let piece = try await coming?.value ?? pieces.piece(at: offset) else { return nil }
            offset += Int64(piece.readableBytes)
            coming = Task { [pieces, offset] in try pieces.piece(at: offset) }
            pieces.progress(offset)
            return piece
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}

/// The digest of a file, from the pieces that are sent of it: those that it has not seen, it reads itself.
final class FileDigester: Sendable {
    /// The hash does not know of threads: it is used under the lock only.
    private struct State: @unchecked Sendable {
        var hasher: SHA256?
        var position: Int64 = 0
        var digest: Digest?
    }

    private let file: LocalFile
    private let state: Mutex<State>

    /// `known` is the digest where it is known: then nothing is hashed.
    init(_ file: LocalFile, known: Digest?) {
        self.file = file
        state = Mutex(State(digest: known))
    }

    /// Takes a piece that is being sent; one that was seen before counts once.
    func see(_ piece: ByteBuffer, at offset: Int64) throws {
        try state.withLock { state in
            guard state.digest == nil, offset + Int64(piece.readableBytes) > state.position else { return }
            try read(upTo: offset, &state)
            let rest = piece.readableBytesView.dropFirst(Int(state.position - offset))
            try update(rest, &state)
        }
    }

    /// The digest of the whole file.
    func finish() throws -> Digest {
        try state.withLock { state in
            if let digest = state.digest { return digest }
            try read(upTo: file.size, &state)
            let digest = state.hasher?.finish() ?? .empty
            state.digest = digest
            return digest
        }
    }

    private func read(upTo end: Int64, _ state: inout State) throws {
        while state.position < end {
            let piece = try file.piece(at: state.position)
            try update(piece.readableBytesView.prefix(Int(end - state.position)), &state)
        }
    }

    private func update(_ bytes: ByteBufferView, _ state: inout State) throws {
        let hasher = try state.hasher ?? SHA256()
        state.hasher = hasher
        hasher.update(bytes)
        state.position += Int64(bytes.count)
    }
}
