internal import Artifacts
internal import BootPlane
internal import ControlAPI
internal import ControlPlane
internal import Glibc
internal import Hosts
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import Site
internal import Store
internal import TFTP
internal import UnixSignals

/// The composition root: from configuration to one group of services.
struct DaemonAssembly {
    /// What DHCP tells machines to load.
    private static let loaders = ["undionly.kpxe", "snponly.efi", "ipxe.efi"]

    let configuration: DaemonConfiguration
    let site: Site

    /// Runs until SIGTERM or SIGINT.
    func run() async throws {
        let logger = Logger(label: "provisioner")
        let store = try ArtifactStore(
            StoreConfiguration(path: configuration.dataPath, reserve: configuration.reserve, clock: SystemClock.seconds)
        )
        let ledger = try HostLedger(
            path: DefaultPath.hostsDatabase(in: configuration.dataPath), key: try tokenKey(),
            clock: SystemClock.milliseconds)
        let holder = SiteHolder(path: configuration.sitePath, site: site, logger: logger) { site in
            ledger.adopt(site: site)
            Self.reportMissing(site, store, logger)
        }
        ledger.adopt(site: site)
        Self.reportMissing(site, store, logger)

        let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        let backend = DaemonBackend(
            store: store, ledger: ledger, site: holder, httpPort: configuration.bootHTTP.port,
            loadersPath: configuration.loadersPath)
        let namespace = BootNamespace(backend: backend)
        let transfers = ActiveTransfers()
        let listeners = BootListeners(group: group, namespace: namespace, transfers: transfers, logger: logger)
        let channels = [
            try await bind("--boot-http", configuration.bootHTTP) {
                try await listeners.bindHTTP(host: $0.host, port: $0.port)
            },
            try await bind("--syslog", configuration.syslog) {
                try await listeners.bindSyslog(host: $0.host, port: $0.port)
            },
        ]
        let tftp = try TFTPServer(
            listen: [configuration.tftp].compactMap { DatagramEndpoint(host: $0.host, port: UInt16($0.port)) },
            service: BootTFTPService(namespace: namespace, logger: logger))
        for name in Self.loaders where backend.loaderPath(name).map({ SmallFile.read($0, limit: 0) == nil }) != false {
            logger.warning(
                "--loaders \(configuration.loadersPath) has no \(name): install the package ipxe, or machines stop there"
            )
        }
        try makeDirectory(DefaultPath.authority(in: configuration.dataPath))

        let configuration = configuration
        let readiness = Readiness(listeners: configuration.control == nil ? 1 : 2) {
            logger.notice(
                "ready: boot HTTP \(configuration.bootHTTP), TFTP \(configuration.tftp), syslog \(configuration.syslog), control \(configuration.controlSocket)\(configuration.control.map { " and \($0)" } ?? "")"
            )
            ServiceNotification.ready()
        }
        let controlServices = ControlServices(store: store, ledger: ledger, site: { holder.current }, logger: logger)
        let services: [any ServiceLifecycle.Service] =
            [
                LedgerWriter(ledger: ledger, logger: logger),
                StoreKeeper(store: store, logger: logger),
                BootListenerService(channels: channels, transfers: transfers),
                TFTPServiceRunner(server: tftp),
            ] + (try controlListeners(controlServices, readiness, logger)) + [
                AuthorityService(
                    options: configuration.authority, directory: DefaultPath.authority(in: configuration.dataPath),
                    httpPort: configuration.bootHTTP.port, site: { holder.current }, ledger: ledger, logger: logger),
                SiteWatcher(path: configuration.sitePath, holder: holder),
            ]
        logger.notice(
            "provisioner \(ProductVersion.current) starts, site revision \(site.revision), data \(configuration.dataPath)"
        )
        var groupConfiguration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "services", factory: { _ in SwiftLogNoOpLogHandler() }))
        // Transfers under way get this long; then the program ends all the same.
        groupConfiguration.maximumGracefulShutdownDuration = .seconds(15)
        defer { unlink(configuration.controlSocket) }
        try await ServiceGroup(configuration: groupConfiguration).run()
        try await group.shutdownGracefully()
        logger.notice("ended")
    }

    /// Names the option and the address when they cannot be had.
    private func bind(
        _ option: String, _ address: ListenAddress, _ body: (ListenAddress) async throws -> any Channel
    ) async throws -> any Channel {
        do {
            return try await body(address)
        } catch let error as IOError {
            let reason = String(cString: strerror(error.errnoCode))
            throw ValidationFailure("\(option) \(address): \(reason): 'ss -lntup' tells which program has it")
        }
    }

    /// The control plane's listeners: the local socket, and TCP where asked.
    private func controlListeners(
        _ services: ControlServices, _ readiness: Readiness, _ logger: Logger
    ) throws -> [any ServiceLifecycle.Service] {
        let socket = configuration.controlSocket
        try makeDirectory(socket.parentDirectory)
        try ControlSocket.clear(socket)
        var listeners: [any ServiceLifecycle.Service] = [
            listener(
                .unixDomainSocket(path: socket), ControlResponder(services: services, authorization: .local), readiness)
        ]
        if let control = configuration.control {
            listeners.append(
                listener(
                    .hostname(control.host, port: control.port),
                    ControlResponder(services: services, authorization: configuration.authorization), readiness))
        }
        return listeners
    }

    private func listener(
        _ address: BindAddress, _ responder: ControlResponder, _ readiness: Readiness
    ) -> Application<ControlResponder> {
        var quiet = Logger(label: "control")
        quiet.logLevel = .warning
        return Application(
            // Requests may take as long as they take; a client that says nothing for so long is gone.
            responder: responder, server: .http1(configuration: .init(idleTimeout: .seconds(120))),
            configuration: .init(address: address, serverName: "provisioner"),
            onServerRunning: { _ in await readiness.listenerIsUp() }, logger: quiet)
    }

    /// The key of per-boot tokens: made at the first start, the same ever after.
    private func tokenKey() throws -> AuthenticationKey {
        let path = DefaultPath.tokenKey(in: configuration.dataPath)
        if let bytes = SmallFile.read(path) {
            guard let key = AuthenticationKey(bytes: bytes) else {
                throw StoreError(.failure, "\(path) is damaged: remove it, and installations under way cannot report")
            }
            return key
        }
        guard let key = AuthenticationKey.random() else {
            throw StoreError(.failure, "no random numbers on this machine")
        }
        try SmallFile.write(path, key.bytes, SystemFileOperations())
        return key
    }

    private func makeDirectory(_ path: String) throws {
        guard !path.isEmpty else { return }
        _ = try SystemFileOperations().makeDirectory(path)
    }

    private static func reportMissing(_ site: Site, _ store: ArtifactStore, _ logger: Logger) {
        for line in MissingArtifacts.find(in: site, releases: store.releases) { logger.warning("\(line)") }
    }
}

extension String {
    fileprivate var parentDirectory: String { lastIndex(of: "/").map { String(self[..<$0]) } ?? "" }
}
