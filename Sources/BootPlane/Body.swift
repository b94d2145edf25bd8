internal import Synchronization
internal import TFTP

/// A piece of a file on its way to a client.
final class Body: @unchecked Sendable {
    // @unchecked: what a `BodyLoop` changes is touched by its thread only.

    /// Why it ended early, and how far it came.
    struct Interrupted: Error, CustomStringConvertible {
        let sent: Int64
        let reason: String
        var description: String { "after \(sent) bytes: \(reason)" }
    }

    /// A descriptor of its own of the client's connection. Its loop closes it.
    let socket: Int32
    let file: OpenFile
    private let start: Int64
    let end: Int64
    /// Called once, on the thread of its loop.
    let hasEnded: @Sendable (Result<Void, Interrupted>) -> Void
    private let progress = Atomic<Int64>(0)

    // Of its loop.
    /// Where the next byte is.
    var position: Int64 { didSet { progress.store(position - start, ordering: .relaxed) } }
    /// Up to here the file was found in memory, or read into it.
    var lookedAt: Int64
    /// It waits for its turn.
    var isReady = false
    /// The loop's set of sockets has it.
    var isWatched = false

    /// - Parameters:
    ///   - socket: a descriptor of the connection, non-blocking, which nobody else writes to until it has ended.
    ///   - file: what has the piece.
    ///   - range: the piece, not empty.
    ///   - hasEnded: hears how it ended, once, on another thread.
    init(
        socket: Int32, file: OpenFile, range: Range<Int64>,
        hasEnded: @escaping @Sendable (Result<Void, Interrupted>) -> Void
    ) {
        self.socket = socket
        self.file = file
        (start, end) = (range.lowerBound, range.upperBound)
        (position, lookedAt) = (start, start)
        self.hasEnded = hasEnded
    }

    /// Bytes that the kernel has taken so far. From any thread.
    var sent: Int64 { progress.load(ordering: .relaxed) }
}
