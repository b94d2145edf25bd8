internal import NIOCore

/// Gives a request that came before, byte by byte, to who knows the answer; what it does not know goes on to the decoder. A
/// rack that starts asks the same again and again, and reading a request costs as much as answering it. Nothing is parsed
/// here: only what the decoder took for exactly one request is ever known.
final class RepeatedRequests: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let http: BootHTTPHandler
    /// All that came so far were whole requests, one at a time: the decoder has nothing left over.
    private var isBetweenRequests = true

    init(_ http: BootHTTPHandler) { self.http = http }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if isBetweenRequests, http.answersKnown(bytes) { return }
        // Once it is false it stays so: where a later request begins, only the decoder knows.
        isBetweenRequests = isBetweenRequests && Self.isOneHead(bytes)
        guard isBetweenRequests else { return context.fireChannelRead(data) }
        isBetweenRequests = http.takes(bytes) { context.fireChannelRead(data) }
    }

    /// Whether the first empty line is the end of it, and so what comes next is not part of it, unless a body was announced.
    private static func isOneHead(_ bytes: ByteBuffer) -> Bool {
        bytes.withUnsafeReadableBytes { bytes in
            let end: [UInt8] = [13, 10, 13, 10]
            guard bytes.count > end.count, bytes.suffix(end.count).elementsEqual(end) else { return false }
            // An empty line before the last bytes has its line feed before them.
            return !(0..<bytes.count - end.count).contains { place in
                bytes[place] == 10 && (bytes[place + 1] == 10 || (bytes[place + 1] == 13 && bytes[place + 2] == 10))
            }
        }
    }
}
