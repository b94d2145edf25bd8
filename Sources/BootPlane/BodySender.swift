internal import Glibc
internal import NIOCore
internal import TFTP

/// Has pieces of files sent on one connection by threads that do nothing else, one after the other. Used on the connection's event
/// loop only.
final class BodySender {
    private let loops: BodyLoops
    private let watch: ConnectionWatch
    /// What is under way, and who has it.
    private var current: (body: Body, loop: BodyLoop)?

    init(loops: BodyLoops, watch: ConnectionWatch) { (self.loops, self.watch) = (loops, watch) }

    /// Sends a piece of a file. Nothing may be written to the connection until that has ended.
    /// - Parameters:
    ///   - file: the file.
    ///   - range: the piece, not empty.
    ///   - channel: the connection's.
    ///   - before: ends when all is written that was written before.
    /// - Returns: ends when the kernel has all of it, or fails with `Body.Interrupted`.
    func send(
        _ file: OpenFile, _ range: Range<Int64>, on channel: any Channel, after before: EventLoopFuture<Void>
    ) -> EventLoopFuture<Void> {
        let sender = NIOLoopBound(self, eventLoop: channel.eventLoop)
        return before.flatMap { sender.value.begin(file, range, channel) }
    }

    /// Ends what is under way: the connection is gone.
    func cancel() { if let current { current.loop.cancel(current.body) } }

    private func begin(_ file: OpenFile, _ range: Range<Int64>, _ channel: any Channel) -> EventLoopFuture<Void> {
        func refuse(_ reason: String) -> EventLoopFuture<Void> {
            channel.eventLoop.makeFailedFuture(Body.Interrupted(sent: 0, reason: reason))
        }
        guard channel.isActive else { return refuse("its connection has ended") }
        if range.upperBound - range.lowerBound >= SendQueue.bounded { SendQueue.bound(channel) }
        // Its own: the channel may close the other at any time, and the number belong to another connection while this is sent.
        let socket = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            fcntl($0, F_DUPFD_CLOEXEC, 0)
        }
        guard let socket, socket >= 0 else { return refuse("no file descriptor is left") }
        let done = channel.eventLoop.makePromise(of: Void.self)
        let body = Body(socket: socket, file: file, range: range) { done.completeWith($0.mapError { $0 as any Error }) }
        guard let loop = loops.send(body) else {
            close(socket)
            done.fail(Body.Interrupted(sent: 0, reason: "the server ends"))
            return done.futureResult
        }
        current = (body, loop)
        watch.follow { body.sent }
        let sender = NIOLoopBound(self, eventLoop: channel.eventLoop)
        return done.futureResult.always { _ in
            // A connection may be silent for long after this: it does not keep the file open.
            sender.value.current = nil
            sender.value.watch.follow(nil)
        }
    }
}
