internal import NIOCore
internal import NIOPosix
internal import TFTP

/// Sends a piece of a file with sendfile, one region at a time. NIO gives a region to the kernel whole, and with a fast
/// receiver the call does not return before it is gone; other connections of the loop would starve. So regions are
/// small, the loop gets a turn between two of them, and what would have to come from the disk is read elsewhere before.
final class FileSender {
    private static let copySize: Int64 = 256 << 10
    /// How often a file that is being sent is looked at: of one that becomes shorter under a region, sendfile gives nothing, and
    /// NIO asks it again for ever.
    private static let lookInterval = TimeAmount.seconds(1)

    /// Why a body ended early, and how far it came.
    struct Interrupted: Error, CustomStringConvertible {
        let sent: Int64
        let reason: String
        var description: String { "after \(sent) bytes: \(reason)" }
    }

    private let readers: NIOThreadPool
    private let turns: RegionTurns
    private let watch: ConnectionWatch
    /// What is encrypted is read and copied; a region would go out as it is.
    private let isEncrypted: Bool
    private let file: OpenFile
    private let end: Int64
    private let channel: any Channel
    private let start: Int64
    private var position: Int64
    private let done: EventLoopPromise<Void>
    private var hasEnded = false
    private var look: RepeatedTask?
    private var handle: NIOFileHandle?
    /// NIO has a region, and so needs the handle.
    private var isWriting = false

    /// `readers`: threads that may wait for the disk; `turns`: of the channel's loop.
    init(
        file: OpenFile, range: Range<Int64>, channel: any Channel, readers: NIOThreadPool, turns: RegionTurns,
        watch: ConnectionWatch, isEncrypted: Bool
    ) {
        self.watch = watch
        self.turns = turns
        self.isEncrypted = isEncrypted
        self.file = file
        self.readers = readers
        start = range.lowerBound
        position = range.lowerBound
        end = range.upperBound
        self.channel = channel
        done = channel.eventLoop.makePromise()
    }

    /// Writes the body's parts. Succeeds when all are written; the caller ends the response.
    func send() -> EventLoopFuture<Void> {
        if end - start >= SendQueue.bounded { SendQueue.bound(channel) }
        let sender = NIOLoopBound(self, eventLoop: channel.eventLoop)
        look = channel.eventLoop.scheduleRepeatedTask(initialDelay: Self.lookInterval, delay: Self.lookInterval) { _ in
            if sender.value.isShort { sender.value.interrupt(Self.shorter) }
        }
        next()
        return done.futureResult
    }

    private static let shorter = "the file is shorter than it was"
    private var isShort: Bool { file.currentSize < end }

    private func finish(_ result: Result<Void, any Error>) {
        guard !hasEnded else { return }
        hasEnded = true
        look?.cancel()
        if !isWriting { closeHandle() }
        done.completeWith(result)
    }

    private func next() {
        guard !hasEnded else { return }
        guard position < end else { return finish(.success(())) }
        guard !isShort else { return interrupt(Self.shorter) }
        guard !isEncrypted else { return copy(min(Self.copySize, end - position)) }
        let length = min(RegionTurns.regionSize, end - position)
        guard file.isCached(from: position, count: length) else { return warm(length) }
        write(length)
    }

    /// A region that is not in memory is read by a thread that may wait: sendfile would have the whole loop wait.
    private func warm(_ length: Int64) {
        let sender = NIOLoopBound(self, eventLoop: channel.eventLoop)
        let (file, position) = (file, position)
        readers.runIfActive(eventLoop: channel.eventLoop) { file.warm(from: position, count: length) }
            .whenComplete { _ in
                if !sender.value.hasEnded { sender.value.write(length) }
            }
    }

    /// Read by a thread that may wait, whether it is in memory or not: encryption takes longer than handing it over.
    private func copy(_ length: Int64) {
        let sender = NIOLoopBound(self, eventLoop: channel.eventLoop)
        let (file, position) = (file, position)
        readers.runIfActive(eventLoop: channel.eventLoop) { file.bytes(from: position, count: length) }
            .whenComplete { result in
                let sender = sender.value
                guard !sender.hasEnded else { return }
                guard case .success(let bytes?) = result else { return sender.interrupt(Self.shorter) }
                sender.write(.byteBuffer(ByteBuffer(bytes: bytes)), length)
            }
    }

    private func write(_ length: Int64) {
        guard let handle = handle ?? openHandle() else { return interrupt("no file descriptor is left") }
        let region = FileRegion(fileHandle: handle, readerIndex: Int(position), endIndex: Int(position + length))
        write(.fileRegion(region), length)
    }

    private func write(_ data: IOData, _ length: Int64) {
        isWriting = true
        let written = channel.writeAndFlush(data)
        let sender = NIOLoopBound(self, eventLoop: channel.eventLoop)
        written.whenComplete { result in
            let sender = sender.value
            sender.isWriting = false
            // It was ended while this region was on its way.
            guard !sender.hasEnded else { return sender.closeHandle() }
            switch result {
            case .failure(let error): sender.interrupt("\(error)")
            case .success:
                sender.watch.madeProgress()
                sender.position += length
                if sender.position >= sender.end {
                    sender.finish(.success(()))
                } else {
                    sender.turns.take { sender.next() }
                }
            }
        }
    }

    /// One descriptor for all regions: NIO owns and closes what it writes from, and the file is shared.
    private func openHandle() -> NIOFileHandle? {
        handle = file.duplicateDescriptor().map { NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: $0) }
        return handle
    }

    private func closeHandle() {
        try? handle?.close()
        handle = nil
    }

    private func interrupt(_ reason: String) { finish(.failure(Interrupted(sent: position - start, reason: reason))) }
}
