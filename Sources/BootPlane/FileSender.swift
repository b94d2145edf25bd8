internal import NIOCore
internal import NIOHTTP1
internal import TFTP

/// Sends a piece of a file with sendfile, one region at a time. NIO gives a region to the kernel whole, and with a fast
/// receiver the call does not return before it is gone; other connections of the loop would starve. So regions are
/// small, and the loop gets a turn between two of them.
final class FileSender {
    private static let regionSize: Int64 = 512 << 10
    /// Long enough for the loop to look at its other connections, short enough not to be seen.
    private static let pause = TimeAmount.microseconds(5)

    /// Why a body ended early, and how far it came.
    struct Interrupted: Error, CustomStringConvertible {
        let sent: Int64
        let reason: String
        var description: String { "after \(sent) bytes: \(reason)" }
    }

    private let file: OpenFile
    private let end: Int64
    private let channel: any Channel
    private let start: Int64
    private var position: Int64
    private let done: EventLoopPromise<Void>

    init(file: OpenFile, range: Range<Int64>, channel: any Channel) {
        self.file = file
        start = range.lowerBound
        position = range.lowerBound
        end = range.upperBound
        self.channel = channel
        done = channel.eventLoop.makePromise()
    }

    /// Writes the body's parts. Succeeds when all are written; the caller ends the response.
    func send() -> EventLoopFuture<Void> {
        next()
        return done.futureResult
    }

    private func next() {
        guard position < end else { return done.succeed() }
        // A file that became shorter would make sendfile return 0 for ever.
        guard file.currentSize >= end else { return interrupt("the file is shorter than it was") }
        let length = min(Self.regionSize, end - position)
        guard let handle = file.duplicateDescriptor() else { return interrupt("no file descriptor is left") }
        let fileHandle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: handle)
        let region = FileRegion(fileHandle: fileHandle, readerIndex: Int(position), endIndex: Int(position + length))
        let written = channel.writeAndFlush(HTTPServerResponsePart.body(.fileRegion(region)))
        let sender = NIOLoopBound(self, eventLoop: channel.eventLoop)
        written.whenComplete { result in
            try? fileHandle.close()
            let sender = sender.value
            switch result {
            case .failure(let error): sender.interrupt("\(error)")
            case .success:
                sender.position += length
                if sender.position >= sender.end {
                    sender.done.succeed()
                } else {
                    sender.continueSoon()
                }
            }
        }
    }

    private func interrupt(_ reason: String) { done.fail(Interrupted(sent: position - start, reason: reason)) }

    private func continueSoon() {
        let sender = NIOLoopBound(self, eventLoop: channel.eventLoop)
        channel.eventLoop.scheduleTask(in: Self.pause) { sender.value.next() }
    }
}
