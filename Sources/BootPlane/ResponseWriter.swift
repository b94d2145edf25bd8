internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Site

/// Writes one connection's answers, one after the other: a small one as one piece with its head; a file is sent by others.
/// Bodies always have a length (RFC 9112 section 6.2): nothing is chunked. Used on the connection's event loop only.
final class ResponseWriter {
    private let namespace: BootNamespace
    private let logger: Logger
    private let transfers: ActiveTransfers
    private let readers: NIOThreadPool
    private let watch: ConnectionWatch
    /// nil: what is sent goes through the connection's handlers.
    private let bodies: BodySender?
    /// The client's.
    var address: IPv4Address?
    /// An answer has begun, and its end was not written.
    private(set) var isBusy = false
    /// Called when an answer that took its time has ended and the connection goes on.
    var goesOn: (ChannelHandlerContext) -> Void = { _ in }

    /// `bodies`: threads that send files; nil where the connection's handlers have to see them.
    init(
        namespace: BootNamespace, transfers: ActiveTransfers, readers: NIOThreadPool, bodies: BodyLoops?,
        watch: ConnectionWatch, logger: Logger
    ) {
        self.watch = watch
        self.bodies = bodies.map { BodySender(loops: $0, watch: watch) }
        self.namespace = namespace
        self.transfers = transfers
        self.readers = readers
        self.logger = logger
    }

    /// Small answers are written when this returns; then the connection may go on with the next.
    func write(_ plan: ResponsePlan, to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        logger.debug(
            "HTTP \(request.method) \(LoggablePath.of(request.uri)) -> \(plan.status.code), \(plan.length) bytes")
        let hasBody = request.method != .HEAD && plan.length > 0
        let bytes = hasBody ? plan.bytes : []
        var buffer = context.channel.allocator.buffer(capacity: 512 + (bytes?.count ?? 0))
        ResponseHead.encode(plan.head(for: request), into: &buffer)
        isBusy = true
        guard let bytes else { return transfer(plan, request, head: buffer, context) }
        // Head and body are one piece, which the pipeline carries once.
        buffer.writeBytes(bytes)
        let event = request.method == .HEAD ? nil : plan.event
        finish(context, buffer, keepsAlive: request.isKeepAlive, event: event, bytes: Int64(bytes.count))
    }

    /// The same for an answer that is whole.
    func write(_ bytes: ByteBuffer, _ answer: KnownAnswer, _ context: ChannelHandlerContext) {
        isBusy = true
        let length = Int64(bytes.readableBytes)
        finish(context, bytes, keepsAlive: answer.keepsAlive, event: answer.event, bytes: length)
    }

    /// Writes a head and nothing else: what is no answer to a request, or does not end it.
    func say(_ status: HTTPResponseStatus, _ headers: HTTPHeaders, _ context: ChannelHandlerContext) {
        var buffer = context.channel.allocator.buffer(capacity: 128)
        ResponseHead.encode(HTTPResponseHead(version: .http1_1, status: status, headers: headers), into: &buffer)
        context.writeAndFlush(NIOAny(IOData.byteBuffer(buffer)), promise: nil)
    }

    /// The connection is gone, and what is being sent on it ends.
    func connectionHasEnded() { bodies?.cancel() }

    /// Sends a body that takes its time, and ends the answer after it.
    private func transfer(
        _ plan: ResponsePlan, _ request: HTTPRequestHead, head: ByteBuffer, _ context: ChannelHandlerContext
    ) {
        let contextBox = NIOLoopBound(context, eventLoop: context.eventLoop)
        let writer = NIOLoopBound(self, eventLoop: context.eventLoop)
        let transfers = transfers
        let (pacer, address) = (namespace.pacer, address)
        transfers.begin()
        pacer.transferBegan(address)
        SendQueue.hold(context.channel)
        let written = context.writeAndFlush(NIOAny(IOData.byteBuffer(head)))
        send(plan, after: written, context).whenComplete { result in
            transfers.end()
            pacer.transferEnded(address)
            let (writer, context) = (writer.value, contextBox.value)
            switch result {
            case .success:
                let keepsAlive = request.isKeepAlive
                writer.finish(context, nil, keepsAlive: keepsAlive, event: plan.event, bytes: plan.length)
                SendQueue.release(context.channel)
                if keepsAlive { writer.goesOn(context) }
            case .failure(let error): writer.fail(context, request.uri, error)
            }
        }
    }

    private func send(
        _ plan: ResponsePlan, after before: EventLoopFuture<Void>, _ context: ChannelHandlerContext
    ) -> EventLoopFuture<Void> {
        switch plan.body {
        case .bytes: return before
        case .resource(let resource, let range): return send(range, of: resource, after: before, context)
        case .parts(let resource, let parts, let end):
            let writer = NIOLoopBound(self, eventLoop: context.eventLoop)
            let contextBox = NIOLoopBound(context, eventLoop: context.eventLoop)
            return send(parts[...], of: resource, after: before, context).map {
                _ = writer.value.write(end[...], contextBox.value)
            }
        }
    }

    private func send(
        _ range: Range<Int64>, of resource: BootResource, after before: EventLoopFuture<Void>,
        _ context: ChannelHandlerContext
    ) -> EventLoopFuture<Void> {
        switch resource.body {
        case .bytes(let bytes): return write(bytes[Int(range.lowerBound)..<Int(range.upperBound)], context)
        case .file(let file, let offset, _):
            let piece = range.lowerBound + offset..<range.upperBound + offset
            if let bodies { return bodies.send(file, piece, on: context.channel, after: before) }
            return CopySender(file, piece, on: context.channel, readers: readers, watch: watch).send()
        }
    }

    /// One piece after another: each is a body's part of its own to the channel.
    private func send(
        _ parts: ArraySlice<ResponsePlan.Part>, of resource: BootResource, after before: EventLoopFuture<Void>,
        _ context: ChannelHandlerContext
    ) -> EventLoopFuture<Void> {
        guard let part = parts.first else { return before }
        let written = write(part.head[...], context)
        let writer = NIOLoopBound(self, eventLoop: context.eventLoop)
        let contextBox = NIOLoopBound(context, eventLoop: context.eventLoop)
        return send(part.range, of: resource, after: written, context).flatMap {
            writer.value.send(
                parts.dropFirst(), of: resource, after: contextBox.value.eventLoop.makeSucceededVoidFuture(),
                contextBox.value)
        }
    }

    private func write(_ bytes: ArraySlice<UInt8>, _ context: ChannelHandlerContext) -> EventLoopFuture<Void> {
        let buffer = context.channel.allocator.buffer(bytes: bytes)
        return context.writeAndFlush(NIOAny(IOData.byteBuffer(buffer)))
    }

    /// Ends the answer, with its last bytes where they are not written yet; the event is noted before the client can ask for
    /// what comes next.
    private func finish(
        _ context: ChannelHandlerContext, _ last: ByteBuffer?, keepsAlive: Bool, event: BootEvent?, bytes: Int64
    ) {
        namespace.noteSent(event, to: address, bytes: Int(bytes))
        isBusy = false
        guard !keepsAlive else {
            if let last { context.write(NIOAny(IOData.byteBuffer(last)), promise: nil) }
            return context.flush()
        }
        let channel = context.channel
        // Once all is written that was before it.
        isBusy = true
        context.writeAndFlush(NIOAny(IOData.byteBuffer(last ?? ByteBuffer())))
            .whenComplete { _ in channel.close(promise: nil) }
    }

    /// The head has gone out with a length that cannot be kept: only closing tells the client.
    private func fail(_ context: ChannelHandlerContext, _ uri: String, _ error: any Error) {
        let path = LoggablePath.of(uri)
        logger.notice("HTTP \(path) ended early: \(error)")
        if let address {
            namespace.backend.note(.failure("HTTP \(path): the connection ended early"), from: address, bytes: 0)
        }
        context.close(promise: nil)
    }
}
