internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Site

/// HTTP/1.1 over the namespace: GET and HEAD, and POST for reports. Synchronous on the connection's event loop. Requests that
/// come before the one before them is answered (pipelining, RFC 9112 section 9.3.2) wait in a queue; while there are any,
/// and while the client does not read its answers, nothing more is read from it.
final class BootHTTPHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let namespace: BootNamespace
    private let logger: Logger
    private let watch: ConnectionWatch
    private let writer: ResponseWriter
    /// Gives the connection back to who answers faster; nil where it stays.
    private let giveBack: ConnectionLoops.GiveBack?
    private var request: HTTPRequestHead?
    /// Complete requests that could not be answered at once.
    private var waiting = CircularBuffer<HTTPRequestHead>()
    /// One is being decided on; its answer has not begun.
    private var isDeciding = false
    private var isAnswering = false
    /// Somebody wanted to read, and has to wait.
    private var wantsRead = false
    private var address: IPv4Address?
    private var context: ChannelHandlerContext?
    /// The bytes of the request that is being decided on, where they are known to be it and nothing else.
    private var received: ByteBuffer?

    init(
        namespace: BootNamespace, transfers: ActiveTransfers, watch: ConnectionWatch, readers: NIOThreadPool,
        bodies: BodyLoops?, giveBack: ConnectionLoops.GiveBack?, logger: Logger
    ) {
        self.namespace = namespace
        self.giveBack = giveBack
        self.watch = watch
        self.logger = logger
        writer = ResponseWriter(
            namespace: namespace, transfers: transfers, readers: readers, bodies: bodies, watch: watch, logger: logger)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        writer.goesOn = { [unowned self] in answerWaiting($0) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        address = context.remoteAddress.flatMap { IPv4Address(client: $0) }
        writer.address = address
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        writer.connectionHasEnded()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            request = head
            // Nothing here reads a body, but who asks before sending one waits for a word (RFC 9110 section 10.1.1).
            if head.version == .http1_1, head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }),
                waiting.isEmpty, !isDeciding, !writer.isBusy
            {
                writer.say(.continue, [:], context)
            }
        case .body: break  // nothing here reads a body
        case .end:
            guard let request else { return }
            watch.requestIsComplete()
            self.request = nil
            waiting.append(request)
            answerWaiting(context)
        }
    }

    /// Answers a request that is known by its bytes, at once, and gives the connection back to who answers these faster.
    /// - Parameter bytes: all that came, where what came before was whole requests.
    /// - Returns: false where it has to be read.
    func answersKnown(_ bytes: ByteBuffer) -> Bool {
        guard let context, waiting.isEmpty, !isDeciding, !writer.isBusy, context.channel.isActive,
            context.channel.isWritable, let known = namespace.knownAnswer(bytes, at: address)
        else { return false }
        watch.requestIsComplete()
        writer.write(ByteBuffer(bytes: known.bytes), known.answer, context)
        if known.answer.keepsAlive { _ = giveBack?(context.channel) }
        return true
    }

    /// Reads one request, so that its answer may be known by its bytes later.
    /// - Parameters:
    ///   - bytes: all that came, one head.
    ///   - read: gives the bytes to the decoder.
    /// - Returns: whether the request was complete with them.
    func takes(_ bytes: ByteBuffer, read: () -> Void) -> Bool {
        // What waits would be answered first, and taken for the answer to these bytes.
        received = waiting.isEmpty && !isDeciding && !writer.isBusy ? bytes : nil
        defer { received = nil }
        read()
        return request == nil
    }

    func read(context: ChannelHandlerContext) {
        guard waiting.isEmpty, !isDeciding, !writer.isBusy else {
            wantsRead = true
            return
        }
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        answerWaiting(context)
        context.fireChannelWritabilityChanged()
    }

    /// Answers in the order of the requests, as long as there are some and the client takes the answers. Not recursive: a
    /// client may send thousands at once.
    private func answerWaiting(_ context: ChannelHandlerContext) {
        // An answer that ended at once came back here: the loop below goes on with the next.
        guard !isAnswering else { return }
        isAnswering = true
        defer { isAnswering = false }
        while !isDeciding, !writer.isBusy, context.channel.isActive, context.channel.isWritable,
            let request = waiting.popFirst()
        {
            isDeciding = true
            answer(request, context: context)
        }
        if wantsRead, waiting.isEmpty, !isDeciding, !writer.isBusy {
            wantsRead = false
            context.read()
        }
    }

    /// Ends what `answerWaiting` began.
    private func respond(_ plan: ResponsePlan, to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        isDeciding = false
        writer.write(plan, to: request, context)
    }

    /// The same, after the loop did something else meanwhile.
    private func respondLater(_ plan: ResponsePlan, to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        respond(plan, to: request, context)
        answerWaiting(context)
    }

    /// After an error the connection ends. What is no request is told so first, unless that would be in the middle of an
    /// answer, or before one.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError, waiting.isEmpty, !isDeciding, !writer.isBusy {
            writer.say(.badRequest, ["connection": "close", "content-length": "0"], context)
        }
        logger.debug("HTTP connection ended: \(error)")
        context.close(promise: nil)
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
            let plan = ResponsePlan(resource, request: request)
            remember(plan, resource.script, request)
            respond(plan, to: request, context)
        } catch {
            if error == .preparing, waited < Self.patience {
                let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
                let context = NIOLoopBound(context, eventLoop: context.eventLoop)
                context.value.eventLoop.scheduleTask(in: .milliseconds(pause)) {
                    guard context.value.channel.isActive else { return }
                    handler.value.answer(
                        request, context: context.value, waited: waited + pause,
                        pause: min(pause * 2, Self.longestPause))
                    handler.value.answerWaiting(context.value)
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

    /// Only whole scripts: what depends on more than request and decision is not given again.
    private func remember(_ plan: ResponsePlan, _ script: DecidedScript?, _ request: HTTPRequestHead) {
        guard let script, let event = plan.event, let received, request.method == .GET, plan.status == .ok,
            !request.headers.contains(name: "upgrade")
        else { return }
        namespace.remember(
            script, event: event, head: ResponseHead.encodeWithoutLength(plan.head(for: request)),
            keepsAlive: request.isKeepAlive, request: received, at: address)
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
                    handler.value.respondLater(valid ? done : invalid, to: request, contextBox.value)
                case .failure(let error):
                    logger.error("an installation report could not be stored: \(error)")
                    let plan = ResponsePlan(text: "not stored, try again", retryAfter: 5)
                    handler.value.respondLater(plan, to: request, contextBox.value)
                }
            }
    }
}
