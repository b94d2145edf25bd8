internal import Authority
internal import Boot
internal import Glibc
internal import Hosts
internal import Logging
internal import ServiceLifecycle
internal import Site
internal import Store

/// Answers DNS and DHCP on every substrate whose declared authority is the provisioner: one dnsmasq each. A new site
/// file makes it start, stop or renew them; a rendering that is the same leaves them running.
struct AuthorityService: ServiceLifecycle.Service {
    let options: [AuthorityOption]
    let directory: String
    let httpPort: Int
    let sites: AsyncStream<Site>
    let ledger: HostLedger
    let logger: Logger

    func run() async throws {
        var running: [String: (site: Site, task: Task<Void, Never>)] = [:]
        // Each task is owned here: cancelled and awaited before this function returns.
        for await site in sites.cancelOnGracefulShutdown() {
            let wanted = substrates(of: site)
            for (name, entry) in running where !wanted.contains(name) || entry.site.revision != site.revision {
                entry.task.cancel()
                await entry.task.value
                running[name] = nil
            }
            for name in wanted where running[name] == nil {
                running[name] = (site, Task { await serve(name, site) })
            }
        }
        for entry in running.values {
            entry.task.cancel()
            await entry.task.value
        }
    }

    private func substrates(of site: Site) -> Set<String> {
        let off = Set(options.filter { $0.mode == .off }.map(\.substrate))
        return Set(
            site.authorities.filter { $0.declared == .provisioner && !off.contains($0.substrate) }.map(\.substrate))
    }

    private func serve(_ substrate: String, _ site: Site) async {
        do {
            guard let interface = try await interface(substrate, site),
                let view = SubstrateView(site: site, substrate: substrate, mode: .provisioner),
                let names = BootNames(site: site, substrate: substrate, mode: .provisioner, port: httpPort)
            else {
                return logger.error(
                    "substrate \(substrate): no DNS and DHCP: the site file gives machines no names for the services 'pxe' and 'artifacts'"
                )
            }
            let resolvers =
                SmallFile.read("/etc/resolv.conf", limit: 65_536).map { String(decoding: $0, as: UTF8.self) } ?? ""
            let upstream =
                site.policy.upstreamDNS ?? UpstreamResolvers.read(resolvers, excluding: NetworkInterfaces.addresses)
            let files = DnsmasqSupervisor.Files(directory: directory, substrate: substrate)
            let configuration = try DnsmasqConfiguration(
                view: view, interface: interface, leaseFile: files.leases,
                bootFiles: BootFiles(
                    stage1URL: names.stage1, httpLoaderURL: names.scriptsBase + "/loaders/ipxe.efi"),
                upstream: upstream)
            let ledger = ledger
            let logger = logger
            let supervisor = DnsmasqSupervisor(
                files: files, logger: logger,
                answering: { logger.notice("substrate \(substrate): answering DNS and DHCP on \(interface)") },
                observe: { Self.note($0, site: site, ledger: ledger) })
            try await supervisor.install(configuration)
            try await supervisor.run()
            logger.notice("substrate \(substrate): no longer answering DNS and DHCP")
        } catch is CancellationError {
            return
        } catch {
            logger.error("substrate \(substrate): no DNS and DHCP: \(error)")
        }
    }

    /// The interface that has the substrate's gateway address, waiting for it where it is not there yet.
    private func interface(_ substrate: String, _ site: Site) async throws -> String? {
        guard let view = SubstrateView(site: site, substrate: substrate, mode: .provisioner),
            let leg = view.provisioner, let address = view.address(of: leg.interface)
        else { return nil }
        var hasComplained = false
        while true {
            if let name = NetworkInterfaces.name(having: address) { return name }
            if !hasComplained {
                logger.error(
                    "substrate \(substrate): no interface has \(address), so DNS and DHCP wait for it: give it to the one with MAC \(leg.interface.mac)"
                )
                hasComplained = true
            }
            try await Task.sleep(for: .seconds(2))
        }
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
