internal import NIOCore
internal import NIOPosix
internal import TFTP

/// Sends a piece of a file through its connection's handlers, which encrypt it: a part of it at a time is read, and written when the
/// one before is gone. Used on the connection's event loop only.
final class CopySender {
    private static let partSize: Int64 = 256 << 10

    private let file: OpenFile
    private let start: Int64
    private let end: Int64
    private let channel: any Channel
    private let readers: NIOThreadPool
    private let watch: ConnectionWatch
    private let done: EventLoopPromise<Void>
    private var position: Int64

    /// `readers`: started threads that may wait for the disk.
    init(
        _ file: OpenFile, _ range: Range<Int64>, on channel: any Channel, readers: NIOThreadPool, watch: ConnectionWatch
    ) {
        self.file = file
        (start, end) = (range.lowerBound, range.upperBound)
        position = start
        self.channel = channel
        self.readers = readers
        self.watch = watch
        done = channel.eventLoop.makePromise()
    }

    /// Ends when the kernel has all of it, or fails with `Body.Interrupted`.
    func send() -> EventLoopFuture<Void> {
        next()
        return done.futureResult
    }

    private func next() {
        guard position < end else { return done.succeed() }
        let length = min(Self.partSize, end - position)
        // What would have to come from the disk is read by a thread that may wait: others have this loop, too.
        if file.isCached(from: position, count: length) { return write(file.bytes(from: position, count: length)) }
        let (file, position) = (file, position)
        let sender = NIOLoopBound(self, eventLoop: channel.eventLoop)
        readers.runIfActive(eventLoop: channel.eventLoop) { file.bytes(from: position, count: length) }
            .whenComplete { sender.value.write(try? $0.get()) }
    }

    private func write(_ bytes: [UInt8]?) {
        guard let bytes else { return interrupt("the file is shorter than it was") }
        let sender = NIOLoopBound(self, eventLoop: channel.eventLoop)
        channel.writeAndFlush(ByteBuffer(bytes: bytes))
            .whenComplete { result in
                let sender = sender.value
                switch result {
                case .failure(let error): sender.interrupt("\(error)")
                case .success:
                    sender.watch.madeProgress()
                    sender.position += Int64(bytes.count)
                    guard sender.position < sender.end else { return sender.done.succeed() }
                    // Other connections of the loop first.
                    let next = NIOLoopBound(sender, eventLoop: sender.channel.eventLoop)
                    sender.channel.eventLoop.execute { next.value.next() }
                }
            }
    }

    private func interrupt(_ reason: String) {
        done.fail(Body.Interrupted(sent: position - start, reason: reason))
    }
}
