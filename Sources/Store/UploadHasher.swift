internal import Artifacts
internal import Dispatch

/// The hash of an upload, which is computed beside the writing: a disk is kept busy by one processor, and another hashes.
/// One owner, which asks for nothing else between `begin` and `wait`.
final class UploadHasher: @unchecked Sendable {
    /// Fewer bytes are hashed at once: to wake a thread would take longer.
    private static let least = 128 << 10

    private let hasher: SHA256
    private let slots: BackgroundSlots
    private let queue: DispatchQueue
    private let group = DispatchGroup()

    init(_ hasher: SHA256, slots: BackgroundSlots, label: String) {
        self.hasher = hasher
        self.slots = slots
        queue = DispatchQueue(label: label)
    }

    /// Starts to hash pieces, but for their first bytes.
    func begin(_ pieces: [any UploadPiece], skipping known: Int) {
        guard pieces.reduce(0, { $0 + $1.byteCount }) >= Self.least, slots.take() else { return update(pieces, known) }
        group.enter()
        queue.async { [self] in
            update(pieces, known)
            slots.giveBack()
            group.leave()
        }
    }

    private func update(_ pieces: [any UploadPiece], _ known: Int) {
        var skipped = known
        for piece in pieces {
            let start = min(skipped, piece.byteCount)
            skipped -= start
            piece.withBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        }
    }

    /// Waits until everything that was begun is hashed.
    func wait() { group.wait() }

    /// The digest of everything; the next bytes start another.
    func finish() -> Digest {
        wait()
        return hasher.finish()
    }

    /// Starts anew with the first bytes of a file.
    /// - Returns: how many there were, at most `limit`.
    /// - Throws: `FileFailure`.
    func restart(_ path: String, upTo limit: Int64) throws -> Int64 {
        wait()
        return try StagedFile.hash(path, upTo: limit, into: hasher)
    }
}
