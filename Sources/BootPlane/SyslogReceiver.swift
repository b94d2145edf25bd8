internal import NIOCore
internal import Site

/// Takes syslog datagrams (RFC 5426) and puts them on the sender's timeline and into its log.
final class SyslogDatagramReceiver: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let backend: any BootBackend

    init(backend: any BootBackend) { self.backend = backend }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let address = IPv4Address(client: envelope.remoteAddress) else { return }
        backend.noteSyslog(envelope.data.readableBytesView, from: address)
    }
}

/// The same over TCP (RFC 6587). A stream that cannot be followed is closed.
final class SyslogStreamReceiver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let backend: any BootBackend
    private var framing = SyslogFraming()
    private var address: IPv4Address?

    init(backend: any BootBackend) { self.backend = backend }

    func channelActive(context: ChannelHandlerContext) {
        address = context.remoteAddress.flatMap { IPv4Address(client: $0) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let address else { return context.close(promise: nil) }
        do {
            for message in try framing.take(unwrapInboundIn(data).readableBytesView) {
                backend.noteSyslog(message, from: address)
            }
        } catch {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let address, let message = framing.finish() { backend.noteSyslog(message, from: address) }
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

extension BootBackend {
    fileprivate func noteSyslog(_ bytes: some Collection<UInt8>, from address: IPv4Address) {
        let message = SyslogMessage(bytes)
        if !message.text.isEmpty { note(.log(message), from: address, bytes: Int64(bytes.count)) }
    }
}
