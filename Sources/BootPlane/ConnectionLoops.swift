internal import Glibc
internal import NIOCore
internal import NIOPosix

/// The event loops that go on with the connections of a `ConnectionFront`. A connection that asks there what is known goes back to
/// its front.
struct ConnectionLoops: Sendable {
    /// Gives a connection back, all that came on which is answered: its channel is closed. On its loop. False where it stays.
    typealias GiveBack = @Sendable (_ channel: any Channel) -> Bool

    let group: MultiThreadedEventLoopGroup
    /// Adds to a connection all that it needs to be answered.
    let addHandlers: @Sendable (_ channel: any Channel, _ isNew: Bool, GiveBack?) throws -> Void

    /// Goes on with a connection.
    func take(_ passed: ConnectionFront.Passed, from front: ConnectionFront) {
        let giveBack: GiveBack = { [place = passed.place] channel in
            guard let descriptor = Self.descriptor(of: channel) else { return false }
            guard front.takeBack(descriptor, place) else {
                Glibc.close(descriptor)
                return false
            }
            // The connection lives as long as one of its descriptors.
            channel.close(promise: nil)
            return true
        }
        _ = ClientBootstrap(group: group)
            .channelInitializer { [addHandlers] channel in
                channel.eventLoop.makeCompletedFuture {
                    channel.holds(passed.place)
                    try channel.pipeline.syncOperations.addHandler(PassedConnection(passed))
                    try addHandlers(channel, passed.isNew, giveBack)
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
