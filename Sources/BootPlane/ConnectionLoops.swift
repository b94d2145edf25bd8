internal import Glibc
internal import NIOCore
internal import NIOPosix

/// The event loops that go on with the connections of a `ConnectionFront`: those for questions, which send nothing that is long, and
/// those for bodies. Where a hundred bodies are sent one look at all connections takes a loop some milliseconds, and a question
/// needs several looks. A connection that asks for a body on a loop for questions moves to one for bodies, and stays there; one that
/// asks what is known goes back to its front.
struct ConnectionLoops: Sendable {
    /// Where a connection on a loop for questions goes next.
    enum Move {
        /// To a loop for bodies, with all that came and was not answered.
        case toBodies(ByteBuffer)
        /// To the front: all that came is answered.
        case back
    }

    /// Moves a connection away from a loop for questions.
    /// - Parameters:
    ///   - channel: its channel, which is closed; on its loop.
    ///   - move: where to.
    /// - Returns: false where it stays.
    typealias Leave = @Sendable (_ channel: any Channel, _ move: Move) -> Bool

    let questions: MultiThreadedEventLoopGroup
    let bodies: MultiThreadedEventLoopGroup
    /// Adds to a connection all that it needs to be answered.
    let addHandlers: @Sendable (_ channel: any Channel, _ isNew: Bool, Leave?) throws -> Void

    /// Goes on with a connection: one that is silent, or slow to take what it asked for, asks no question.
    func take(_ passed: ConnectionFront.Passed, from front: ConnectionFront) {
        guard passed.received.readableBytes > 0 else { return give(passed, to: bodies.next(), nil) }
        give(passed, to: questions.next()) { [place = passed.place] channel, move in
            guard let descriptor = Self.descriptor(of: channel) else { return false }
            switch move {
            case .back:
                guard front.takeBack(descriptor, place) else {
                    Glibc.close(descriptor)
                    return false
                }
            case .toBodies(let request):
                give(
                    ConnectionFront.Passed(
                        descriptor: descriptor, place: place, isNew: false, unsent: ByteBuffer(), ends: false,
                        received: request), to: bodies.next(), nil)
            }
            // The connection lives as long as one of its descriptors.
            channel.close(promise: nil)
            return true
        }
    }

    private func give(_ passed: ConnectionFront.Passed, to loop: any EventLoop, _ leave: Leave?) {
        _ = ClientBootstrap(group: loop)
            .channelInitializer { [addHandlers] channel in
                channel.eventLoop.makeCompletedFuture {
                    channel.holds(passed.place)
                    try channel.pipeline.syncOperations.addHandler(PassedConnection(passed))
                    try addHandlers(channel, passed.isNew, leave)
                }
            }
            .withConnectedSocket(passed.descriptor)
    }

    /// Another descriptor of a connection, where its channel has nothing left to send.
    private static func descriptor(of channel: any Channel) -> Int32? {
        guard (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) == 0,
            let descriptor = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                of: NIOBSDSocket.Handle.self, { fcntl($0, F_DUPFD_CLOEXEC, 0) }), descriptor >= 0
        else { return nil }
        return descriptor
    }
}
