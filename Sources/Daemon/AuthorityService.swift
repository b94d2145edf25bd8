internal import Artifacts
internal import Authority
internal import Boot
internal import Logging
internal import ServiceLifecycle
internal import Site
internal import Store
internal import Synchronization

/// Answers DNS and DHCP on every substrate whose declared authority is the provisioner: one dnsmasq each. It looks every
/// two seconds at what they depend on (the site file, the interface that has the gateway's address, the resolvers of
/// the uplink), so what could not start is tried again. A dnsmasq is left running when its configuration would behave
/// the same, and when dnsmasq refuses the new one.
final class AuthorityService: ServiceLifecycle.Service {
    private static let interval = Duration.seconds(2)

    let options: [AuthorityOption]
    let directory: String
    let httpPort: Int
    let site: @Sendable () -> Site
    /// Called with every substrate's state whenever one changes, and with each DHCP exchange.
    let report: @Sendable (AuthorityReport) -> Void
    let logger: Logger
    private let conditions = Mutex<[String: Condition]>([:])

    init(
        options: [AuthorityOption], directory: String, httpPort: Int, site: @escaping @Sendable () -> Site,
        logger: Logger, report: @escaping @Sendable (AuthorityReport) -> Void
    ) {
        self.options = options
        self.directory = directory
        self.httpPort = httpPort
        self.site = site
        self.report = report
        self.logger = logger
    }

    /// What a configuration is made from: while it stays the same, so does the configuration.
    private struct Inputs: Equatable {
        let revision: Digest
        let interface: String
        let upstream: [IPv4Address]
    }

    /// What is known of one substrate, for the report.
    private struct Condition {
        /// The interface that its dnsmasq answers on; nil while none does.
        var interface: String?
        /// What does not go as the site file says; nil while all does.
        var complaint: String?
        /// Its dnsmasq ended by itself.
        var hasEnded = false
    }

    private struct Running {
        var inputs: Inputs
        let behaviour: String
        let task: Task<Void, Never>
    }

    func run() async throws { await cancelWhenGracefulShutdown { await self.supervise() } }

    /// Until cancelled; then every dnsmasq has ended.
    private func supervise() async {
        var running: [String: Running] = [:]
        var complaints: [String: String] = [:]
        repeat {
            let site = site()
            let wanted = substrates(of: site)
            for name in running.keys where !wanted.contains(name) { await stop(&running, name) }
            for name in known where !wanted.contains(name) {
                complaints[name] = nil
                note(name) { $0 = nil }
            }
            for name in wanted.sorted() where !Task.isCancelled {
                do {
                    try await reconcile(name, site, &running)
                    if complaints.removeValue(forKey: name) != nil {
                        logger.notice("substrate \(name): all is well again")
                        update(name) { $0.complaint = nil }
                    }
                } catch {
                    // Said once, and again when it changes.
                    guard complaints.updateValue("\(error)", forKey: name) != "\(error)" else { continue }
                    logger.error("substrate \(name): \(error)")
                    update(name) { $0.complaint = "\(error)" }
                }
            }
        } while (try? await Task.sleep(for: Self.interval)) != nil
        for name in running.keys { await stop(&running, name) }
    }

    private func stop(_ running: inout [String: Running], _ substrate: String) async {
        guard let entry = running.removeValue(forKey: substrate) else { return }
        entry.task.cancel()
        await entry.task.value
        logger.notice("substrate \(substrate): no longer answering DNS and DHCP")
        update(substrate) { $0.interface = nil }
    }

    /// Reports every substrate's state after one has changed.
    private func note(_ substrate: String, _ change: (inout Condition?) -> Void) {
        // Under the lock: reports come in the order of the changes, or the last word would be an old one.
        conditions.withLock { conditions in
            change(&conditions[substrate])
            let states = conditions.sorted { $0.key < $1.key }.map { name, condition in
                let ended = condition.hasEnded ? "dnsmasq ended by itself and is started again" : nil
                let answer = condition.interface.map { "answering DNS and DHCP on \($0)" }
                return AuthorityReport.State(
                    substrate: name, text: condition.complaint ?? ended ?? answer ?? "starting DNS and DHCP",
                    isAnswering: condition.interface != nil)
            }
            report(AuthorityReport(states: states))
        }
    }

    /// Changes what is known of a substrate that is looked after.
    private func update(_ substrate: String, _ change: (inout Condition) -> Void) {
        note(substrate) { condition in
            var known = condition ?? Condition()
            change(&known)
            condition = known
        }
    }

    /// Substrates of which something was reported.
    private var known: [String] { conditions.withLock { Array($0.keys) } }

    private func substrates(of site: Site) -> Set<String> {
        let off = Set(options.filter { $0.mode == .off }.map(\.substrate))
        return Set(
            site.authorities.filter { $0.declared == .provisioner && !off.contains($0.substrate) }.map(\.substrate))
    }

    /// Makes a substrate's dnsmasq be what the site file says now.
    /// - Throws: `AuthorityError` with what is missing; what runs goes on.
    private func reconcile(_ substrate: String, _ site: Site, _ running: inout [String: Running]) async throws {
        guard let view = SubstrateView(site: site, substrate: substrate, mode: .provisioner),
            let leg = view.provisioner,
            let address = view.address(of: leg.interface)
        else { throw AuthorityError(.notReady, "no DNS and DHCP: no host of the management plane claims its gateway") }
        guard let interface = NetworkInterfaces.name(having: address) else {
            throw AuthorityError(
                .notReady,
                "no interface has \(address), so DNS and DHCP wait for it: give it to the one with MAC \(leg.interface.mac)"
            )
        }
        let inputs = Inputs(revision: site.revision, interface: interface, upstream: upstream(site))
        guard running[substrate]?.inputs != inputs else { return }
        guard let names = BootNames(site: site, substrate: substrate, mode: .provisioner, port: httpPort) else {
            throw AuthorityError(.notReady, "no DNS and DHCP: the services 'pxe' and 'artifacts' have no names there")
        }
        let files = DnsmasqSupervisor.Files(directory: directory, substrate: substrate)
        let configuration = try DnsmasqConfiguration(
            view: view, interface: interface, leaseFile: files.leases,
            bootFiles: BootFiles(
                stage1URL: names.stage1, base: names.scriptsBase,
                grubBIOS: "\(BootPath.loaders)/\(GRUBPlatform.bios.loaderName)",
                grubUEFI: "\(BootPath.loaders)/\(GRUBPlatform.uefi.loaderName)", kernelImage: BootPath.kernelImage),
            upstream: inputs.upstream)
        if running[substrate]?.behaviour == configuration.behaviour {
            running[substrate]?.inputs = inputs
            return
        }
        let logger = logger
        let report = report
        let supervisor = DnsmasqSupervisor(
            files: files, logger: logger,
            answering: { [weak self] in
                logger.notice("substrate \(substrate): answering DNS and DHCP on \(interface)")
                self?.update(substrate) {
                    $0.interface = interface
                    $0.hasEnded = false
                }
            },
            ended: { [weak self] in
                self?.update(substrate) {
                    $0.interface = nil
                    $0.hasEnded = true
                }
            },
            observe: { report(AuthorityReport(exchange: .init($0))) })
        try await supervisor.install(configuration)
        await stop(&running, substrate)
        let task = Task {
            do {
                try await supervisor.run()
            } catch {
                logger.error("substrate \(substrate): dnsmasq is not watched any more: \(error)")
            }
        }
        running[substrate] = Running(inputs: inputs, behaviour: configuration.behaviour, task: task)
    }

    /// The resolvers for names outside the site, as of now: an uplink may come up late.
    private func upstream(_ site: Site) -> [IPv4Address] {
        if let fixed = site.policy.upstreamDNS { return fixed }
        let text = SmallFile.read("/etc/resolv.conf", limit: 65_536) ?? []
        return UpstreamResolvers.read(String(decoding: text, as: UTF8.self), excluding: NetworkInterfaces.addresses)
    }
}
