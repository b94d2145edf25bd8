internal import NIOCore

/// Ends a connection whose request does not become complete in time, counted from its first byte, or from the connection's
/// beginning: a client that sends one byte after another (slow-loris) is never idle, and would keep its place for ever.
final class RequestDeadline: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Long for any client that means it: a request here is one packet.
    static let limit = TimeAmount.seconds(30)

    private var timer: Scheduled<Void>?
    /// A request has begun and is not complete.
    private var isOpen = false

    func channelActive(context: ChannelHandlerContext) {
        arm(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isOpen = true
        context.fireChannelRead(data)
        // Most requests are complete in the first packet, and need no timer.
        if isOpen, timer == nil, context.channel.isActive { arm(context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        requestIsComplete()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { requestIsComplete() }

    /// Called by the handler that takes requests: bytes after this one belong to the next.
    func requestIsComplete() {
        isOpen = false
        timer?.cancel()
        timer = nil
    }

    private func arm(_ context: ChannelHandlerContext) {
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: Self.limit) { channel.close(promise: nil) }
    }
}
