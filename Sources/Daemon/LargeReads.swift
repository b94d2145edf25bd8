internal import NIOCore

/// Lets a connection that brings much be read in large pieces: each costs a turn of the event loop, whatever its size.
final class LargeReads: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    /// From what a request without a body needs to what an upload fills.
    private static let sizes = (minimum: 2 << 10, initial: 16 << 10, maximum: 128 << 10)

    func handlerAdded(context: ChannelHandlerContext) {
        let allocator = AdaptiveRecvByteBufferAllocator(
            minimum: Self.sizes.minimum, initial: Self.sizes.initial, maximum: Self.sizes.maximum)
        // What fails here is a connection that has ended already.
        context.channel.setOption(.recvAllocator, value: allocator).whenFailure { _ in }
    }
}
