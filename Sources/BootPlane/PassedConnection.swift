internal import NIOCore

/// The first thing that happens to a connection that a `ConnectionFront` passed on: the rest of an answer is written, and what had
/// come is read before anything else. Then it takes itself out.
final class PassedConnection: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let passed: ConnectionFront.Passed

    init(_ passed: ConnectionFront.Passed) { self.passed = passed }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        if passed.unsent.readableBytes > 0 {
            let written = context.writeAndFlush(NIOAny(passed.unsent))
            if passed.ends {
                let channel = context.channel
                return written.whenComplete { _ in channel.close(promise: nil) }
            }
        }
        if passed.received.readableBytes > 0 {
            context.fireChannelRead(NIOAny(passed.received))
            context.fireChannelReadComplete()
        }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
