internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Site

/// HTTP/1.1 over the namespace: GET and HEAD, and POST for reports. Synchronous on the connection's event loop; the
/// pipeline in front of it delivers one request at a time, and the next while the end of an answer is being written.
/// So a request that comes on the stack of another's answer waits for the next turn of the loop, or thousands of
/// pipelined ones would nest until the stack is full; and none is answered while the client does not read.
final class BootHTTPHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let namespace: BootNamespace
    private let logger: Logger
    private let transfers: ActiveTransfers
    private let deadline: RequestDeadline
    private let readers: NIOThreadPool
    private var request: HTTPRequestHead?
    /// A complete request that could not be answered at once.
    private var waiting: HTTPRequestHead?
    private var isAnswering = false
    private var address: IPv4Address?

    init(
        namespace: BootNamespace, transfers: ActiveTransfers, deadline: RequestDeadline, readers: NIOThreadPool,
        logger: Logger
    ) {
        self.namespace = namespace
        self.deadline = deadline
        self.readers = readers
        self.transfers = transfers
        self.logger = logger
    }

    func channelActive(context: ChannelHandlerContext) {
        address = context.remoteAddress?.ipAddress.flatMap { text in
            IPv4Address(client: text)
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): request = head
        case .body: break  // nothing here reads a body
        case .end:
            guard let request else { return }
            deadline.requestIsComplete()
            self.request = nil
            waiting = request
            answerWaiting(context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        answerWaiting(context)
        context.fireChannelWritabilityChanged()
    }

    private func answerWaiting(_ context: ChannelHandlerContext) {
        guard waiting != nil, context.channel.isWritable else { return }
        guard !isAnswering else {
            let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
            let context = NIOLoopBound(context, eventLoop: context.eventLoop)
            return context.eventLoop.execute { handler.value.answerWaiting(context.value) }
        }
        guard let request = waiting else { return }
        waiting = nil
        isAnswering = true
        defer { isAnswering = false }
        answer(request, context: context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.debug("HTTP connection ended: \(error)")
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Milliseconds that a request waits, in all, for what is being made; and between two looks, at most.
    private static let patience: Int64 = 15_000
    private static let longestPause: Int64 = 1000

    /// `waited` and `pause` are milliseconds: those that the request has waited already, and those before the next look.
    private func answer(
        _ request: HTTPRequestHead, context: ChannelHandlerContext, waited: Int64 = 0, pause: Int64 = 50
    ) {
        let parts = request.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let components = URLPath.components(parts[0]) else {
            return respond(ResponsePlan(status: .badRequest, text: "the path cannot be read"), to: request, context)
        }
        if components.count == 3, components[0] == "hosts", ["up", "installed"].contains(components[2]),
            [.GET, .POST].contains(request.method)
        {
            return report(components[2], token: components[1], request, context)
        }
        guard [.GET, .HEAD].contains(request.method) else {
            var plan = ResponsePlan(status: .methodNotAllowed, text: "this server is read-only: use GET or HEAD")
            plan.headers.add(name: "allow", value: "GET, HEAD")
            return respond(plan, to: request, context)
        }
        let query = parts.count > 1 ? URLPath.query(parts[1]) : [:]
        // With a slash at its end a path is a folder, which an archive is too.
        if parts[0].hasSuffix("/"), let plan = listing(components, request) {
            return respond(plan, to: request, context)
        }
        do {
            let resource = try namespace.resource(components, query: query, address: address)
            if let seconds = namespace.pacer.wait(for: resource, at: address) {
                let text = "other machines are loading: it is not this one's turn yet"
                return respond(ResponsePlan(text: text, retryAfter: seconds), to: request, context)
            }
            respond(ResponsePlan(resource, request: request), to: request, context)
        } catch {
            if error == .preparing, waited < Self.patience {
                let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
                let context = NIOLoopBound(context, eventLoop: context.eventLoop)
                context.value.eventLoop.scheduleTask(in: .milliseconds(pause)) {
                    guard context.value.channel.isActive else { return }
                    handler.value.answer(
                        request, context: context.value, waited: waited + pause,
                        pause: min(pause * 2, Self.longestPause))
                }
                return
            }
            if case .notFound = error, let plan = listing(components, request) {
                return respond(plan, to: request, context)
            }
            noteRefusal(request, Self.plan(for: error).status)
            respond(Self.plan(for: error), to: request, context)
        }
    }

    /// JSON for who asks for it and for no page.
    private func listing(_ components: [String], _ request: HTTPRequestHead) -> ResponsePlan? {
        let accepted = request.headers["accept"].joined(separator: ",")
        let isJSON = accepted.contains("application/json") && !accepted.contains("text/html")
        guard let resource = namespace.listing(components, isJSON ? .json : .html) else { return nil }
        var plan = ResponsePlan(resource, request: request)
        plan.headers.add(name: "vary", value: "accept")
        return plan
    }

    /// A machine that asks for what it does not get is stuck, and its timeline should say where.
    private func noteRefusal(_ request: HTTPRequestHead, _ status: HTTPResponseStatus) {
        guard request.method != .HEAD, let address else { return }
        let text = "HTTP \(LoggablePath.of(request.uri)): \(status.code) \(status.reasonPhrase)"
        logger.info("\(text), for \(address)")
        namespace.backend.note(.failure(text), from: address, bytes: 0)
    }

    /// The one place that turns refusals into statuses.
    private static func plan(for refusal: BootRefusal) -> ResponsePlan {
        switch refusal {
        case .badRequest(let text): ResponsePlan(status: .badRequest, text: text)
        case .forbidden(let text): ResponsePlan(status: .forbidden, text: text)
        case .notFound(let text): ResponsePlan(status: .notFound, text: text)
        case .damaged: ResponsePlan(status: .internalServerError, text: "the server cannot serve this file")
        case .preparing: ResponsePlan(text: "this is being made, ask again", retryAfter: 5)
        }
    }

    /// Reports are the only requests that change anything, and only with a per-boot token. "Installed" is answered
    /// when it is durable.
    private func report(_ kind: String, token: String, _ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let invalid = ResponsePlan(status: .forbidden, text: "this per-boot URL is not valid, or no longer")
        let done = ResponsePlan(status: .ok, text: "noted")
        if kind == "up" {
            let isValid = namespace.backend.reportUp(token: token, address: address)
            if !isValid { noteRefusal(request, invalid.status) }
            return respond(isValid ? done : invalid, to: request, context)
        }
        let backend = namespace.backend
        let address = address
        let contextBox = NIOLoopBound(context, eventLoop: context.eventLoop)
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let logger = logger
        // The documented bridge from the event loop to the one call that waits for the disk.
        context.eventLoop.makeFutureWithTask { try await backend.reportInstalled(token: token, address: address) }
            .whenComplete { result in
                switch result {
                case .success(let valid):
                    if !valid { handler.value.noteRefusal(request, invalid.status) }
                    handler.value.respond(valid ? done : invalid, to: request, contextBox.value)
                case .failure(let error):
                    logger.error("an installation report could not be stored: \(error)")
                    let plan = ResponsePlan(text: "not stored, try again", retryAfter: 5)
                    handler.value.respond(plan, to: request, contextBox.value)
                }
            }
    }

    private func respond(_ plan: ResponsePlan, to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        var head = HTTPResponseHead(version: request.version, status: plan.status, headers: plan.headers)
        if !request.isKeepAlive { head.headers.replaceOrAdd(name: "connection", value: "close") }
        if request.version == .http1_0, request.isKeepAlive {
            head.headers.replaceOrAdd(name: "connection", value: "keep-alive")
        }
        logger.debug(
            "HTTP \(request.method) \(LoggablePath.of(request.uri)) -> \(plan.status.code), \(plan.length) bytes")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        let keepsAlive = request.isKeepAlive
        if request.method == .HEAD || plan.length == 0 {
            return finish(context, keepsAlive: keepsAlive, event: request.method == .HEAD ? nil : plan.event, bytes: 0)
        }
        switch plan.body {
        case .bytes(let bytes):
            writeBytes(bytes[...], plan, keepsAlive, context)
        case .resource(let resource, let range):
            switch resource.body {
            case .bytes(let bytes):
                writeBytes(bytes[Int(range.lowerBound)..<Int(range.upperBound)], plan, keepsAlive, context)
            case .file(let file, let offset, _):
                let part = range.lowerBound + offset..<range.upperBound + offset
                transfer(plan, request, context) {
                    FileSender(file: file, range: part, channel: context.channel, readers: readers).send()
                }
            }
        case .parts(let resource, let parts, let end):
            transfer(plan, request, context) {
                let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
                let contextBox = NIOLoopBound(context, eventLoop: context.eventLoop)
                return sendParts(parts[...], of: resource, context).map {
                    handler.value.writeBody(end[...], contextBox.value)
                }
            }
        }
    }

    /// Sends a body that takes its time, and ends the answer after it.
    private func transfer(
        _ plan: ResponsePlan, _ request: HTTPRequestHead, _ context: ChannelHandlerContext,
        _ send: () -> EventLoopFuture<Void>
    ) {
        let contextBox = NIOLoopBound(context, eventLoop: context.eventLoop)
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let transfers = transfers
        let (pacer, address) = (namespace.pacer, address)
        transfers.begin()
        pacer.transferBegan(address)
        send().whenComplete { result in
            transfers.end()
            pacer.transferEnded(address)
            switch result {
            case .success:
                handler.value.finish(
                    contextBox.value, keepsAlive: request.isKeepAlive, event: plan.event, bytes: plan.length)
            case .failure(let error): handler.value.fail(contextBox.value, request.uri, error)
            }
        }
    }

    /// One piece after another: each is a body's part of its own to the channel.
    private func sendParts(
        _ parts: ArraySlice<ResponsePlan.Part>, of resource: BootResource, _ context: ChannelHandlerContext
    ) -> EventLoopFuture<Void> {
        guard let part = parts.first else { return context.eventLoop.makeSucceededVoidFuture() }
        writeBody(part.head[...], context)
        let sent: EventLoopFuture<Void>
        switch resource.body {
        case .bytes(let bytes):
            writeBody(bytes[Int(part.range.lowerBound)..<Int(part.range.upperBound)], context)
            sent = context.eventLoop.makeSucceededVoidFuture()
        case .file(let file, let offset, _):
            let range = part.range.lowerBound + offset..<part.range.upperBound + offset
            sent = FileSender(file: file, range: range, channel: context.channel, readers: readers).send()
        }
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let contextBox = NIOLoopBound(context, eventLoop: context.eventLoop)
        return sent.flatMap { handler.value.sendParts(parts.dropFirst(), of: resource, contextBox.value) }
    }

    private func writeBody(_ bytes: ArraySlice<UInt8>, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(bytes: bytes)))), promise: nil)
    }

    private func writeBytes(
        _ bytes: ArraySlice<UInt8>, _ plan: ResponsePlan, _ keepsAlive: Bool, _ context: ChannelHandlerContext
    ) {
        writeBody(bytes, context)
        finish(context, keepsAlive: keepsAlive, event: plan.event, bytes: Int64(bytes.count))
    }

    /// Ends the answer; the event is noted before the client can ask for what comes next.
    private func finish(_ context: ChannelHandlerContext, keepsAlive: Bool, event: BootEvent?, bytes: Int64) {
        if let event, let address {
            namespace.pacer.sent(event, to: address, bytes: bytes)
            namespace.backend.note(event, from: address, bytes: bytes)
        }
        let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        if !keepsAlive {
            let channel = context.channel
            written.whenComplete { _ in channel.close(promise: nil) }
        }
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
