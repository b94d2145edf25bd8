internal import Artifacts
internal import Authority
internal import BootPlane
internal import ControlAPI
internal import ControlPlane
internal import GPGV
internal import Glibc
internal import Hosts
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Recipes
internal import ServerIdentity
internal import ServiceLifecycle
internal import Site
internal import Store
internal import UnixSignals

/// The composition root: from configuration to one group of services.
struct DaemonAssembly {
    let configuration: DaemonConfiguration
    let site: Site
    /// Why the site file cannot be used; empty when it can. Otherwise only the control plane is served.
    let siteProblems: [String]

    /// Threads that wait for the disk: more than one cold file at once, and no more than a disk can serve.
    private static let readers = 4

    /// Runs until SIGTERM or SIGINT; without a usable site file, also until there is one.
    func run() async throws {
        let logger = Logger(label: "provisioner")
        let clock = SteadyClock()
        let ballast = Ballast(directory: configuration.dataPath, logger: logger)
        ballast.releaseIfTight()
        let store = try ArtifactStore(
            StoreConfiguration(
                path: configuration.dataPath, reserve: configuration.reserve, clock: clock.seconds,
                monotonicClock: clock.uptimeSeconds, policy: site.trust, packagedKeys: BuiltInRecipes.keys,
                openPGP: GPGV()))
        let ledger = try HostLedger(
            path: DefaultPath.hostsDatabase(in: configuration.dataPath), key: try tokenKey(), clock: clock.milliseconds,
            lifetimeClock: clock.lifetimeMilliseconds)
        let logs = HostLogs(
            directory: DefaultPath.hostLogs(in: configuration.dataPath), clock: clock.milliseconds)
        ballast.takeIfAmple()
        try startAfterWhatIsStored(clock, store, ledger)
        let archives = ArchiveViewDirectory(dataPath: configuration.dataPath)
        let isWhole = siteProblems.isEmpty
        let signer =
            isWhole
            ? BootSigner(
                key: try SiteBootKey(token: configuration.bootKey, data: configuration.dataPath),
                dataPath: configuration.dataPath,
                httpPort: configuration.bootHTTP.port, blobPath: store.blobPath, clock: clock.uptimeSeconds,
                reserve: configuration.reserve, logger: logger) : nil
        let holder = SiteHolder(path: configuration.sitePath, site: site, logger: logger) { site in
            signer?.makeAhead(for: site)
            ledger.adopt(site: site)
            store.adopt(site.trust)
            Self.reportMissing(site, store, archives, logger)
        }
        let identity =
            configuration.encryptsControl ? try ServerIdentityFiles.loadOrMake(in: configuration.dataPath) : nil
        let access = try identity.map { identity in
            try OperatorAccess(
                path: DefaultPath.operators(in: configuration.dataPath), fingerprint: identity.fingerprint,
                clock: clock.seconds, note: { try store.note($0, $1, $2, by: $3) })
        }
        let states = AuthorityStates()
        let stuck = StuckMachines(ledger: ledger)
        let pacer = BootPacer()
        let currentSite: @Sendable () -> Site = { holder.current }
        let report = StatusReport(
            store: store, ledger: ledger, stuck: stuck, site: isWhole ? currentSite : nil, siteProblems: siteProblems,
            authorities: states, identity: identity, clock: clock)

        let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        let questions = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        let readers = NIOThreadPool(numberOfThreads: Self.readers)
        readers.start()
        let bodies = try BodyLoops(count: System.coreCount, readers: readers)
        var services: [any ServiceLifecycle.Service] = [
            LedgerWriter(ledger: ledger, logs: logs, logger: logger),
            StuckMachineWatch(machines: stuck, site: currentSite, logger: logger),
            StoreKeeper(
                store: store, rules: configuration.collection, inUse: { holder.current.artifactsInUse }, logger: logger),
            TrustKeeper(store: store, logger: logger),
            ArchiveKeeper(store: store, views: archives, logger: logger),
        ]
        if configuration.scrubRate > 0 {
            services.append(Scrubber(store: store, rate: configuration.scrubRate, logger: logger))
        }
        if let signer {
            ledger.adopt(site: site)
            Self.reportMissing(site, store, archives, logger)
            signer.makeAhead(for: site)
            services.append(signer)
            let backend = DaemonBackend(
                store: store, ledger: ledger, logs: logs, site: holder, httpPort: configuration.bootHTTP.port,
                loadersPath: configuration.loadersPath, archives: archives, signer: signer,
                tokens: SteadyTokens(
                    clock: clock.uptimeSeconds, isGood: { (try? ledger.host(forToken: $0)) != nil },
                    issue: ledger.issueToken))
            services += try await BootServices(
                configuration: configuration, backend: backend, pacer: pacer, logger: logger
            )
            .make(group, questions: questions, readers: readers, bodies: bodies)
        }
        services += try ControlListeners(
            configuration: configuration,
            services: ControlServices(
                store: store, ledger: ledger, site: { holder.current }, status: report.make, access: access,
                archives: archives, stuck: stuck,
                queues: { pacer.queues },
                collection: configuration.collection, lifetimeClock: clock.lifetimeSeconds, logger: logger),
            identity: identity, names: ServerNames.all(in: site), readiness: readiness(isWhole, logger)
        ).make()
        if let path = configuration.statusFile {
            let port = identity == nil ? nil : configuration.control?.port
            services.append(
                StatusWriter(
                    path: path,
                    status: { ConsoleStatus(server: report.make(), loginCode: access?.code?.text, controlPort: port) },
                    logger: logger))
        }
        if isWhole {
            let notes = DHCPNotes(site: { holder.current }, ledger: ledger)
            services.append(try authority(holder, states, notes, group, logger))
            services.append(SiteWatcher(path: configuration.sitePath, holder: holder))
        } else {
            services.append(SiteRepairWatcher(path: configuration.sitePath, logger: logger))
        }
        logger.notice(
            "provisioner \(ProductVersion.current) starts, \(isWhole ? "site revision \(site.revision)" : "without a site file"), data \(configuration.dataPath)"
        )
        defer { unlink(configuration.controlSocket) }
        try await serve(services)
        // Event loops hear of what these have ended.
        await bodies.stop()
        try await questions.shutdownGracefully()
        try await group.shutdownGracefully()
        try await readers.shutdownGracefully()
        logger.notice("ended")
    }

    private func serve(_ services: [any ServiceLifecycle.Service]) async throws {
        var configuration = ServiceGroupConfiguration(
            services: services.map { service in
                service is SiteRepairWatcher
                    ? .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)
                    : .init(service: service)
            }, gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "services", factory: { _ in SwiftLogNoOpLogHandler() }))
        // Transfers under way get this long; then the program ends all the same.
        configuration.maximumGracefulShutdownDuration = .seconds(15)
        try await ServiceGroup(configuration: configuration).run()
    }

    private func readiness(_ isWhole: Bool, _ logger: Logger) -> Readiness {
        let configuration = configuration
        let control = "control \(configuration.controlSocket)\(configuration.control.map { " and \($0)" } ?? "")"
        let boot =
            isWhole
            ? "boot HTTP \(configuration.bootHTTP), TFTP \(configuration.tftp), syslog \(configuration.syslog), "
            : "no boot plane, for want of a site file; "
        return Readiness(listeners: configuration.control == nil ? 1 : 2) {
            logger.notice("ready: \(boot)\(control)")
            ServiceNotification.ready()
        }
    }

    /// DNS and DHCP: by this process, or by the one that reports on a socket.
    private func authority(
        _ holder: SiteHolder, _ states: AuthorityStates, _ notes: DHCPNotes, _ group: any EventLoopGroup,
        _ logger: Logger
    ) throws -> any ServiceLifecycle.Service {
        if let path = configuration.authorityHelper {
            return ObservationListener(path: path, group: group, states: states, notes: notes, logger: logger)
        }
        let directory = DefaultPath.authority(in: configuration.dataPath)
        _ = try SystemFileOperations().makeDirectory(directory)
        return AuthorityService(
            options: configuration.authority, directory: directory, httpPort: configuration.bootHTTP.port,
            site: { holder.current }, logger: logger,
            report: { report in
                if let list = report.states { states.replace(list) }
                if let observation = report.exchange.flatMap({ DHCPObservation($0) }) { notes.note(observation) }
            })
    }

    /// A machine whose clock starts in the past goes on where it was.
    private func startAfterWhatIsStored(_ clock: SteadyClock, _ store: ArtifactStore, _ ledger: HostLedger) throws {
        if let newest = ledger.newestEventTime { clock.start(after: newest) }
        if let newest = try store.newestPublication() { clock.start(after: newest * 1000) }
    }

    /// The key of per-boot tokens: made at the first start, the same ever after.
    private func tokenKey() throws -> AuthenticationKey {
        let path = DefaultPath.tokenKey(in: configuration.dataPath)
        if let bytes = try SmallFile.readIfPresent(path) {
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

    private static func reportMissing(
        _ site: Site, _ store: ArtifactStore, _ archives: ArchiveViewDirectory, _ logger: Logger
    ) {
        for line in MissingArtifacts.find(in: site, releases: store.releases, archives: archives) {
            logger.warning("\(line)")
        }
    }
}
