internal import NIOCore

/// Ends a connection that stands still, and one whose request does not become complete in time: a client that sends one byte
/// after another (slow-loris) is never idle, and would keep its place for ever.
final class ConnectionWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Seconds for a request, from its first byte, or from the connection's beginning. Long for any client that means it: a
    /// request here is one packet.
    static let requestLimit = 30
    /// Seconds without anything that came, or was taken by the client.
    static let idleLimit = 120

    private let clock: ConnectionClock
    private var channel: (any Channel)?
    /// A request has begun and is not complete; a new connection owes one.
    private var isOpen: Bool
    private var openSeconds = 0
    private var quietSeconds = 0
    /// Gives the bytes that the client has taken of what is sent by others, and how many it were a second ago.
    private var progress: (() -> Int64)?
    private var lastProgress: Int64 = 0

    /// `isNew`: nothing was asked on the connection before.
    init(_ clock: ConnectionClock, isNew: Bool = true) {
        self.clock = clock
        isOpen = isNew
    }

    func channelActive(context: ChannelHandlerContext) {
        channel = context.channel
        clock.add(self)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        quietSeconds = 0
        if !isOpen { (isOpen, openSeconds) = (true, 0) }
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    private func end() {
        channel = nil
        progress = nil
        clock.remove(self)
    }

    /// Called by the handler that takes requests: bytes after this one belong to the next.
    func requestIsComplete() { isOpen = false }

    /// The client took a part of what it asked for.
    func madeProgress() { quietSeconds = 0 }

    /// The same for what is sent on another thread: `progress` gives the bytes so far, and is asked once a second; nil: it has ended.
    func follow(_ progress: (() -> Int64)?) {
        madeProgress()
        self.progress = progress
        lastProgress = 0
    }

    /// Called once a second.
    func secondHasPassed() {
        if let now = progress?(), now != lastProgress {
            lastProgress = now
            madeProgress()
        }
        quietSeconds += 1
        openSeconds += 1
        if quietSeconds > Self.idleLimit || (isOpen && openSeconds > Self.requestLimit) { channel?.close(promise: nil) }
    }
}
