package import Artifacts
internal import GRDB

/// One upload session: bytes arrive in order, are hashed as they come, and become a blob when their digest is the one
/// that was asked for. It survives a restart of the program at its last durable offset.
package actor Upload {
    /// Bytes between two durable offsets.
    static let checkpointInterval: Int64 = 64 << 20
    /// So many bytes may come while a sync runs; then whoever sends waits for the disk.
    private static let maximumBacklog: Int64 = 4 * checkpointInterval
    /// Bytes after which the kernel is told to begin with writing them.
    private static let writebackInterval: Int64 = 8 << 20

    /// The right to append, for one request at a time: a new request takes over from one whose connection died.
    package struct Turn: Sendable, Hashable { fileprivate let number: Int }

    package nonisolated let id: String
    package nonisolated let name: ArtifactName
    private nonisolated let executor: BlockingExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let committer: BlobCommitter
    private let space: SpaceGuard
    private let health: StoreHealth
    private let hasher: UploadHasher
    private var isHashAhead = false
    private var descriptor: Int32?
    private var declaredSize: Int64?
    private var offset: Int64
    private var durableOffset: Int64
    /// Bytes that quotas allowed when the session was opened; when it ends they are asked again. nil: any number.
    private var room: Int64?
    private var turn = 0
    /// Bytes of the present turn's piece that an earlier turn has written already.
    private var overlap: Int64 = 0
    /// Whether the staging file would be found after a power cut.
    private var isNameDurable: Bool
    private let sync: BackgroundSync
    private var writebackOffset: Int64

    private var files: any FileOperations { committer.files }
    private var path: String { committer.directory.stagingFile(id) }

    /// A session at `offset`, whose bytes `hasher` has already seen.
    init(
        id: String, name: ArtifactName, committer: BlobCommitter, space: SpaceGuard, health: StoreHealth,
        hasher: SHA256, descriptor: Int32, declaredSize: Int64?, offset: Int64, room: Int64?
    ) {
        self.id = id
        self.name = name
        self.committer = committer
        self.space = space
        self.health = health
        self.hasher = UploadHasher(hasher, slots: committer.hashSlots, label: "hash of upload \(id)")
        self.descriptor = descriptor
        self.declaredSize = declaredSize
        self.offset = offset
        self.room = room
        durableOffset = offset
        isNameDurable = offset > 0
        executor = BlockingExecutor(label: "upload \(id)")
        sync = BackgroundSync(slots: committer.syncSlots, label: "sync of upload \(id)")
        writebackOffset = offset
    }

    deinit {
        sync.wait()
        if let descriptor { committer.files.close(descriptor) }
    }

    /// The offset that survives a crash: what a client is told.
    /// - Throws: `uploadUnknown` when the session has ended.
    package func durable() throws(StoreError) -> Int64 {
        guard descriptor != nil else { throw StoreError(.uploadUnknown, "there is no such upload: start a new one") }
        return durableOffset
    }

    /// Whether the session is over: its blob is there, or its bytes are gone.
    package var hasEnded: Bool { descriptor == nil }

    /// Takes the session over; earlier turns can append no more. The caller's bytes start at `offset`, the durable
    /// offset or behind it; nil is the durable offset, the one that clients are told. Bytes after it that are there
    /// already, left by a turn whose connection died, are not written again: should the client send others, the digest
    /// tells.
    /// - Returns: the right to append.
    /// - Throws: `offsetMismatch` when the session stands elsewhere; nothing changes then.
    package func begin(at offset: Int64?) throws(StoreError) -> Turn {
        try requireOpen()
        let start = offset ?? durableOffset
        guard durableOffset <= start, start <= self.offset else {
            throw StoreError(
                .offsetMismatch, "the upload stands at byte \(durableOffset), and the piece starts at byte \(start)")
        }
        overlap = self.offset - start
        turn += 1
        return Turn(number: turn)
    }

    /// Appends bytes. After a full disk the session stays, at what was written: free space and go on.
    /// - Throws: `superseded`, `noSpace`, `sizeMismatch` (more than was declared), `degraded`.
    package func append(_ bytes: [UInt8], turn: Turn) throws(StoreError) { try append([bytes], turn: turn) }

    /// The same with pieces that follow one another, which are not copied.
    package func append(_ pieces: [any UploadPiece], turn: Turn) throws(StoreError) {
        try requireTurn(turn)
        guard let descriptor else { throw StoreError(.uploadUnknown, "the upload has ended") }
        let count = pieces.reduce(0) { $0 + Int64($1.byteCount) }
        let known = min(overlap, count)
        let end = offset + count - known
        if let declaredSize, end > declaredSize {
            throw StoreError(.sizeMismatch, "more bytes came than the \(declaredSize) that were announced")
        }
        if declaredSize == nil { try space.require(count - known) }
        if let room, end > room {
            // Somebody may have raised the quota, or deleted something, since.
            self.room = try? committer.catalog.pool.read { try Quota.room(for: name, $0) }
        }
        if let room, end > room {
            throw StoreError(
                .noSpace,
                "no space: a quota of \(name) leaves \(room) bytes, and more came; raise it, or delete versions")
        }
        overlap -= known
        try catchUp()
        hasher.begin(pieces, skipping: Int(known))
        do {
            var skipped = Int(known)
            for piece in pieces {
                let start = min(skipped, piece.byteCount)
                skipped -= start
                try piece.withBytes { bytes in
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
                    try files.writeAll(descriptor, rest, at: offset, path: path) { offset += Int64($0) }
                }
            }
            hasher.wait()
        } catch {
            isHashAhead = true
            throw space.explain(error, as: "the upload could not be written")
        }
        try keepDiskBusy(descriptor)
    }

    /// Bytes go to the disk while more of them come.
    private func keepDiskBusy(_ descriptor: Int32) throws(StoreError) {
        if offset - writebackOffset >= Self.writebackInterval {
            files.startWriteback(descriptor)
            writebackOffset = offset
        }
        if offset - durableOffset >= Self.maximumBacklog { sync.wait() }
        try settleSync()
        if offset - durableOffset >= Self.maximumBacklog {
            // Nobody has had room for it beside.
            try synchronize(descriptor)
            return try remember(offset)
        }
        if !sync.isBusy, offset - durableOffset >= Self.checkpointInterval {
            sync.start(descriptor, path: path, upTo: offset, files)
        }
    }

    /// Remembers what a sync in the background has made durable.
    private func settleSync() throws(StoreError) {
        guard let outcome = sync.takeOutcome() else { return }
        if let failure = outcome.failure { throw distrust(failure) }
        try remember(outcome.offset)
    }

    /// Makes everything so far durable and returns the offset that clients may be told.
    /// - Throws: `superseded`; `degraded` when the disk refused.
    package func checkpoint(turn: Turn) throws(StoreError) {
        try requireTurn(turn)
        sync.wait()
        try settleSync()
        guard let descriptor, offset > durableOffset else { return }
        files.startWriteback(descriptor)
        try synchronize(descriptor)
        try remember(offset)
    }

    /// Everything up to `offset` is durable: so is the file's name from now on, and the offset.
    private func remember(_ offset: Int64) throws(StoreError) {
        if !isNameDurable {
            try committer.synchronizeDirectory(committer.directory.stagingDirectory(id))
            try committer.synchronizeDirectory(committer.directory.stagingPath)
            isNameDurable = true
        }
        do {
            try committer.catalog.pool.write { database in
                try database.execute(
                    sql: "UPDATE upload SET durable_offset = ?, touched_at = ? WHERE id = ?",
                    arguments: [offset, committer.clock(), id])
            }
        } catch {
            throw space.explain(error, as: "the upload's offset could not be stored")
        }
        durableOffset = offset
    }

    /// Ends the session with a blob. When this returns, the blob survives a power cut.
    /// - Throws: `digestMismatch` (the session is gone: its bytes are useless), `sizeMismatch`, `noSpace`, `degraded`.
    package func finish(_ expected: Digest, turn: Turn) throws(StoreError) {
        try requireTurn(turn)
        guard let descriptor else { throw StoreError(.uploadUnknown, "the upload has ended") }
        if let declaredSize, offset != declaredSize {
            throw StoreError(.sizeMismatch, "\(declaredSize) bytes were announced and \(offset) came: send the rest")
        }
        try catchUp()
        let measured = hasher.finish()
        guard measured == expected else {
            end()
            discard()
            throw StoreError(.digestMismatch, "the \(offset) bytes that came have digest \(measured), not \(expected)")
        }
        do {
            sync.wait()
            try settleSync()
            // W3: the room that was reserved and not used goes back, then the bytes become durable.
            try files.truncate(descriptor, to: offset, path: path)
            try synchronize(descriptor)
            try committer.commit(stagingFile: path, digest: expected, size: offset, name: name, upload: id)
        } catch {
            rehash()
            throw space.explain(error, as: "the blob could not be published")
        }
        end()
        try? files.removeDirectory(committer.directory.stagingDirectory(id))
    }

    /// Ends the session and removes its bytes.
    package func cancel() throws(StoreError) {
        try requireOpen()
        end()
        discard()
    }

    /// After a failed write, more was hashed than written: reading the file again mends that, when the upload goes on.
    private func catchUp() throws(StoreError) {
        guard isHashAhead else { return }
        rehash()
        try requireOpen()
        isHashAhead = false
    }

    /// The hash was taken out by a failed `finish`; reading the file again lets the client repeat it. When the bytes
    /// have left the staging file already, the session ends, or a repetition would call right bytes wrong.
    private func rehash() {
        guard descriptor != nil else { return }
        if (try? hasher.restart(path, upTo: offset)) != offset {
            end()
            discard()
        }
    }

    private func synchronize(_ descriptor: Int32) throws(StoreError) {
        do {
            try files.synchronize(descriptor, path: path)
        } catch {
            throw distrust(error)
        }
    }

    /// The kernel marks the pages clean after a failed fsync, so nothing of this file can be trusted.
    private func distrust(_ failure: FileFailure) -> StoreError {
        end()
        discard()
        health.degrade(failure)
        return StoreError(.degraded, StoreHealth.explanation, cause: failure)
    }

    private func end() {
        sync.wait()
        if let failure = sync.takeOutcome()?.failure { health.degrade(failure) }
        if let descriptor { files.close(descriptor) }
        descriptor = nil
        turn += 1
    }

    private func discard() {
        try? files.removeFile(path)
        try? files.removeDirectory(committer.directory.stagingDirectory(id))
        try? committer.catalog.pool.write { database in
            try database.execute(sql: "DELETE FROM upload WHERE id = ?", arguments: [id])
        }
    }

    private func requireOpen() throws(StoreError) {
        guard descriptor != nil else { throw StoreError(.uploadUnknown, "there is no such upload: start a new one") }
        try health.requireWritable()
    }

    private func requireTurn(_ turn: Turn) throws(StoreError) {
        try requireOpen()
        guard turn.number == self.turn else {
            throw StoreError(.superseded, "a newer request has taken this upload over")
        }
    }
}
