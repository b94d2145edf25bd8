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
    private let readers: NIOThreadPool
    private let namespace: BootNamespace
    private let transfers: ActiveTransfers
    private let logger: Logger

    /// `readers`: started threads that may wait for the disk.
    package init(
        group: MultiThreadedEventLoopGroup, readers: NIOThreadPool, namespace: BootNamespace,
        transfers: ActiveTransfers, logger: Logger
    ) {
        self.transfers = transfers
        self.group = group
        self.readers = readers
        self.namespace = namespace
        self.logger = logger
    }

    /// Listens for HTTP. When it returns, connections are accepted.
    /// - Parameters:
    ///   - host: the address.
    ///   - port: the port; 0 for any.
    ///   - tls: with what connections are encrypted; nil: they are not.
    /// - Returns: the listening channel; closing it ends the listening, not the connections.
    /// - Throws: `IOError` when the address cannot be had.
    package func bindHTTP(host: String, port: Int, tls: NIOSSLContext? = nil) async throws -> any Channel {
        let namespace = namespace
        let logger = logger
        let transfers = transfers
        let readers = readers
        var loops: [ObjectIdentifier: NIOLoopBoundBox<BootLoop>] = [:]
        for eventLoop in group.makeIterator() {
            let loop = NIOLoopBoundBox.makeBoxSendingValue(BootLoop(eventLoop), eventLoop: eventLoop)
            try await RegionTurns.watchPipe(of: loop, on: eventLoop)
            loops[ObjectIdentifier(eventLoop)] = loop
        }
        let sharedByLoop = loops
        let limiter = ConnectionLimiter(perClient: ConnectionLimiter.perHTTPClient)
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // Those that are accepted have it from the listening one (tcp(7)): set once, and not for each.
            .serverChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    guard limiter.admit(channel) else { return channel.close(promise: nil) }
                    try pipeline.addBootHTTPHandlers(
                        namespace: namespace, transfers: transfers, readers: readers,
                        loop: sharedByLoop[ObjectIdentifier(channel.eventLoop)]?.value ?? BootLoop(channel.eventLoop),
                        tls: tls, logger: logger)
                }
            }
            .bind(host: host, port: port).get()
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
    /// All that one connection needs to be answered.
    package func addBootHTTPHandlers(
        namespace: BootNamespace, transfers: ActiveTransfers, readers: NIOThreadPool, loop: BootLoop,
        tls: NIOSSLContext? = nil, logger: Logger
    ) throws {
        let watch = ConnectionWatch(loop.clock)
        let http = BootHTTPHandler(
            namespace: namespace, transfers: transfers, watch: watch, readers: readers, turns: loop.turns,
            isEncrypted: tls != nil, logger: logger)
        if let tls { try addHandler(NIOSSLServerHandler(context: tls)) }
        try addHandler(watch)
        try addHandler(RepeatedRequests(http))
        try addHandler(ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
        try addHandler(http)
    }
}
