internal import Glibc
package import Logging
package import NIOCore
internal import NIOHTTP1
package import NIOPosix
package import NIOSSL

/// Binds the boot plane's HTTP and syslog listeners, on an event-loop group of their own: nothing that the control
/// plane does takes their threads.
package struct BootListeners: Sendable {
    /// Without a byte for so long a connection of syslog is closed: its senders have nothing to say for long and do not expect to
    /// be closed.
    private static let syslogTimeout = TimeAmount.hours(6)

    private let group: MultiThreadedEventLoopGroup
    private let questions: MultiThreadedEventLoopGroup
    private let readers: NIOThreadPool
    private let bodies: BodyLoops
    private let namespace: BootNamespace
    private let transfers: ActiveTransfers
    private let logger: Logger

    /// - Parameters:
    ///   - group: event loops for syslog and for what is encrypted.
    ///   - questions: others, for questions over HTTP, which send nothing that is long.
    ///   - readers: started threads that may wait for the disk.
    ///   - bodies: send files.
    ///   - namespace: what is served.
    ///   - transfers: counts bodies under way.
    ///   - logger: where failures go.
    package init(
        group: MultiThreadedEventLoopGroup, questions: MultiThreadedEventLoopGroup, readers: NIOThreadPool,
        bodies: BodyLoops, namespace: BootNamespace, transfers: ActiveTransfers, logger: Logger
    ) {
        self.bodies = bodies
        self.transfers = transfers
        self.group = group
        self.questions = questions
        self.readers = readers
        self.namespace = namespace
        self.logger = logger
    }

    /// Listens for HTTP. When it returns, connections are accepted.
    /// - Parameters:
    ///   - host: the address.
    ///   - port: the port; 0 for any.
    /// - Returns: the listening channel; closing it ends the listening, not the connections.
    /// - Throws: `IOError` when the address cannot be had.
    package func bindHTTP(host: String, port: Int) async throws -> any Channel {
        let limiter = ConnectionLimiter(perClient: ConnectionLimiter.perHTTPClient)
        // It accepts nothing itself.
        let listener = try await bootstrap().serverChannelOption(.autoRead, value: false).bind(host: host, port: port)
            .get()
        do {
            let front = try await front(listener, limiter, addHandlers(on: questions, tls: nil))
            front.start()
            listener.closeFuture.whenComplete { _ in front.stop() }
            return listener
        } catch {
            try await listener.close()
            throw error
        }
    }

    /// The same, encrypted.
    package func bindHTTPS(host: String, port: Int, tls: NIOSSLContext) async throws -> any Channel {
        let limiter = ConnectionLimiter(perClient: ConnectionLimiter.perHTTPClient)
        let addHandlers = addHandlers(on: group, tls: tls)
        return try await bootstrap()
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard limiter.admit(channel) else { return channel.close(promise: nil) }
                    try addHandlers(channel, true, nil)
                }
            }
            .bind(host: host, port: port).get()
    }

    private func bootstrap() -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // Those that are accepted have it from the listening one (tcp(7)): set once, and not for each.
            .serverChannelOption(.tcpOption(.tcp_nodelay), value: 1)
    }

    /// What adds to a connection, on its loop, all that it needs to be answered, and is told whether nothing was asked on it before,
    /// and how it is given back to its front.
    private func addHandlers(
        on group: MultiThreadedEventLoopGroup, tls: NIOSSLContext?
    ) -> @Sendable (any Channel, Bool, ConnectionLoops.GiveBack?) throws -> Void {
        var clocks: [ObjectIdentifier: NIOLoopBoundBox<ConnectionClock>] = [:]
        for eventLoop in group.makeIterator() {
            clocks[ObjectIdentifier(eventLoop)] = .makeBoxSendingValue(
                ConnectionClock(eventLoop), eventLoop: eventLoop)
        }
        let clockByLoop = clocks
        // What is encrypted cannot go from the file as it is.
        let bodies = tls == nil ? bodies : nil
        let (namespace, transfers, readers, logger) = (namespace, transfers, readers, logger)
        return { channel, isNew, giveBack in
            try channel.pipeline.syncOperations.addBootHTTPHandlers(
                namespace: namespace, transfers: transfers, readers: readers, bodies: bodies,
                clock: clockByLoop[ObjectIdentifier(channel.eventLoop)]?.value ?? ConnectionClock(channel.eventLoop),
                isNew: isNew, giveBack: giveBack, tls: tls, logger: logger)
        }
    }

    /// Who takes the connections of a listening channel, of a socket.
    private func front(
        _ listener: any Channel, _ limiter: ConnectionLimiter,
        _ addHandlers: @escaping @Sendable (any Channel, Bool, ConnectionLoops.GiveBack?) throws -> Void
    ) async throws -> ConnectionFront {
        let namespace = namespace
        let loops = ConnectionLoops(group: questions, addHandlers: addHandlers)
        return try await listener.eventLoop.submit {
            let front = try listener.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                of: NIOBSDSocket.Handle.self
            ) { socket in
                try ConnectionFront(
                    socket, limiter: limiter, answer: { namespace.answer(toKnown: $0, at: $1) },
                    pass: { loops.take($0, from: $1) })
            }
            guard let front else { throw IOError(errnoCode: ENOTSOCK, reason: "listen") }
            return front
        }.get()
    }

    /// Listens for syslog datagrams.
    package func bindSyslog(host: String, port: Int) async throws -> any Channel {
        let backend = namespace.backend
        return try await DatagramBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(SyslogDatagramReceiver(backend: backend))
                }
            }
            .bind(host: host, port: port).get()
    }

    /// Listens for syslog over TCP. When it returns, connections are accepted.
    package func bindSyslogStream(host: String, port: Int) async throws -> any Channel {
        let backend = namespace.backend
        let limiter = ConnectionLimiter(perClient: ConnectionLimiter.perSyslogClient, share: 8)
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard limiter.admit(channel) else { return channel.close(promise: nil) }
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(readTimeout: Self.syslogTimeout))
                    try pipeline.addHandler(SyslogStreamReceiver(backend: backend))
                }
            }
            .bind(host: host, port: port).get()
    }
}

extension ChannelPipeline.SynchronousOperations {
    /// All that one connection by itself needs to be answered on its loop: of a socket, or of none.
    package func addBootHTTPHandlers(
        namespace: BootNamespace, transfers: ActiveTransfers, readers: NIOThreadPool, logger: Logger
    ) throws {
        try addBootHTTPHandlers(
            namespace: namespace, transfers: transfers, readers: readers, bodies: nil,
            clock: ConnectionClock(eventLoop), isNew: true, giveBack: nil, tls: nil, logger: logger)
    }

    /// The same for one that shares its loop's clock, may have been answered before, may be given back, or is encrypted. `bodies`: send
    /// its files; nil where its handlers have to see them.
    func addBootHTTPHandlers(
        namespace: BootNamespace, transfers: ActiveTransfers, readers: NIOThreadPool, bodies: BodyLoops?,
        clock: ConnectionClock, isNew: Bool, giveBack: ConnectionLoops.GiveBack?, tls: NIOSSLContext?, logger: Logger
    ) throws {
        let watch = ConnectionWatch(clock, isNew: isNew)
        let http = BootHTTPHandler(
            namespace: namespace, transfers: transfers, watch: watch, readers: readers, bodies: bodies,
            giveBack: giveBack, logger: logger)
        if let tls { try addHandler(NIOSSLServerHandler(context: tls)) }
        try addHandler(watch)
        try addHandler(RepeatedRequests(http))
        try addHandler(ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
        try addHandler(http)
    }
}
