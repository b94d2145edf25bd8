internal import Artifacts
internal import Authority
internal import Boot
internal import Hosts
internal import Logging
internal import ServiceLifecycle
internal import Site
internal import Store

/// Answers DNS and DHCP on every substrate whose declared authority is the provisioner: one dnsmasq each. It looks every
/// two seconds at what they depend on (the site file, the interface that has the gateway's address, the resolvers of
/// the uplink), so what could not start is tried again. A dnsmasq is left running when its configuration would behave
/// the same, and when dnsmasq refuses the new one.
struct AuthorityService: ServiceLifecycle.Service {
    private static let interval = Duration.seconds(2)

    let options: [AuthorityOption]
    let directory: String
    let httpPort: Int
    let site: @Sendable () -> Site
    let ledger: HostLedger
    let logger: Logger

    /// What a configuration is made from: while it stays the same, so does the configuration.
    private struct Inputs: Equatable {
        let revision: Digest
        let interface: String
        let upstream: [IPv4Address]
    }

    private struct Running {
        var inputs: Inputs
        let behaviour: String
        let task: Task<Void, Never>
    }

    func run() async throws { await cancelWhenGracefulShutdown { await supervise() } }

    /// Until cancelled; then every dnsmasq has ended.
    private func supervise() async {
        var running: [String: Running] = [:]
        var complaints: [String: String] = [:]
        repeat {
            let site = site()
            let wanted = substrates(of: site)
            for name in running.keys where !wanted.contains(name) { await stop(&running, name) }
            for name in wanted.sorted() where !Task.isCancelled {
                do {
                    try await reconcile(name, site, &running)
                    if complaints.removeValue(forKey: name) != nil, running[name] != nil {
                        logger.notice("substrate \(name): all is well again")
                    }
                } catch {
                    // Said once, and again when it changes.
                    guard complaints.updateValue("\(error)", forKey: name) != "\(error)" else { continue }
                    logger.error("substrate \(name): \(error)")
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
    }

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
            bootFiles: BootFiles(stage1URL: names.stage1, httpLoaderURL: names.scriptsBase + "/loaders/ipxe.efi"),
            upstream: inputs.upstream)
        if running[substrate]?.behaviour == configuration.behaviour {
            running[substrate]?.inputs = inputs
            return
        }
        let logger = logger
        let ledger = ledger
        let supervisor = DnsmasqSupervisor(
            files: files, logger: logger,
            answering: { logger.notice("substrate \(substrate): answering DNS and DHCP on \(interface)") },
            observe: { Self.note($0, site: site, ledger: ledger) })
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

    private static func note(_ observation: DHCPObservation, site: Site, ledger: HostLedger) {
        // An address that was given out, or a machine that got none; the packets between say nothing more.
        let host = site.hosts.first { $0.interfaces.contains { $0.mac == observation.mac } }?.name
        let client = [observation.vendorClass, observation.userClass.map { "user class \($0)" }].compactMap { $0 }
        switch observation.kind {
        case .acknowledge:
            let detail = (["\(observation.address?.description ?? "?")"] + client).joined(separator: ", ")
            ledger.noteDHCP(
                mac: observation.mac, address: observation.address, vendorClass: observation.vendorClass,
                detail: detail, host: host)
        case .discover where observation.note.contains("no address"):
            ledger.noteDHCP(
                mac: observation.mac, address: nil, vendorClass: observation.vendorClass,
                detail: "asks, and there is no address for it", host: host)
        case .refuse:
            ledger.noteDHCP(
                mac: observation.mac, address: nil, vendorClass: observation.vendorClass,
                detail: "refused: \(observation.note)", host: host)
        default: break
        }
    }
}
