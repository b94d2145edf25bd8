internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Site

/// Takes syslog datagrams (RFC 3164 and 5424) and puts their text on the sender's timeline.
final class SyslogReceiver: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let backend: any BootBackend

    init(backend: any BootBackend) { self.backend = backend }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let address = envelope.remoteAddress.ipAddress.flatMap({ IPv4Address(client: $0) }) else { return }
        let text = SyslogMessage.text(envelope.data.readableBytesView)
        if !text.isEmpty { backend.note(.log(text), from: address, bytes: Int64(envelope.data.readableBytes)) }
    }
}

/// The readable part of a syslog datagram.
package enum SyslogMessage {
    /// Longer messages are cut: a timeline is no log store.
    package static let maximumLength = 400

    /// The message without its `<priority>`, in one line, control characters replaced.
    package static func text(_ bytes: some Collection<UInt8>) -> String {
        var rest = Substring(String(decoding: bytes.prefix(2048), as: UTF8.self))
        if rest.first == "<", let end = rest.prefix(5).firstIndex(of: ">"),
            rest[rest.index(after: rest.startIndex)..<end].allSatisfy(\.isNumber)
        {
            rest = rest[rest.index(after: end)...]
        }
        let line = rest.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : Character($0) }
        return String(String(line).split(separator: " ").joined(separator: " ").prefix(maximumLength))
    }
}
