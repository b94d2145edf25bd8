internal import Artifacts
internal import Boot
internal import Foundation
internal import ServerIdentity
package import Site

/// A machine's boot, gone through as its firmware and its loader would go, from a machine on the same segment: what DHCP offers,
/// the loader, the script and every file in it, by the names and from the addresses that the machine would use. Nothing changes
/// by it: no lease, no token, no line on the machine's timeline, no place in the queue of those that load.
package struct Preflight {
    private let site: Site
    let options: Options
    /// Of files that were loaded already: machines share most.
    private var files: [String: Result<HTTPProbe.Answer, PreflightError>] = [:]

    package init(site: Site, options: Options) {
        self.site = site
        self.options = options
    }

    /// Goes through the boot of one machine.
    package mutating func run(_ machine: Machine) async -> PreflightReport {
        var report = PreflightReport(machine: Self.describe(machine))
        guard let segment = machine.interface.segment,
            let view = SubstrateView(
                site: site, substrate: segment.substrate,
                mode: site.authority(of: segment.substrate)?.declared ?? .router),
            let names = BootNames(
                site: site, substrate: segment.substrate, mode: view.mode, port: options.httpPort)
        else {
            report.add(
                "site", .bad, "its substrate has no names for the services 'pxe' and 'artifacts'",
                fix: "add them under services, exposed in this substrate")
            return report
        }
        switch machine.decision.outcome {
        case .boot(let plan): report.add("decision", .good, "profile \(plan.profile), boot: \(plan.frequency.rawValue)")
        case .localDisk: report.add("decision", .good, "its local disk: \(machine.decision.reason)")
        case .hold, .refuse:
            report.add("decision", .bad, machine.decision.reason, fix: "'provisioner explain' tells all of it")
        }
        var nameServer: IPv4Address?
        if options.server == nil {
            let dhcp = DHCPSteps(view: view, machine: machine, options: options)
            for firmware in options.firmware {
                guard let offer = dhcp.firmwareOffer(firmware, names, &report) else { continue }
                nameServer = nameServer ?? offer.nameServers.first
                await load(offer, firmware, names, view, &report)
            }
            if let offer = dhcp.loaderOffer(names, &report) { nameServer = nameServer ?? offer.nameServers.first }
        }
        guard let script = await script(machine, names, nameServer, view, &report) else { return report }
        await load(script, machine, names, nameServer, view, &report)
        return report
    }

    private static func describe(_ machine: Machine) -> String {
        let place = machine.interface.segment.map { " on \($0)" } ?? ""
        return "\(machine.host.name), \(machine.interface.mac)\(place)"
    }

    /// The loader that an offer names, from where it names it.
    private mutating func load(
        _ offer: DHCPMessage, _ firmware: Firmware, _ names: BootNames, _ view: SubstrateView,
        _ report: inout PreflightReport
    ) async {
        let name = "loader \(firmware.rawValue)"
        guard let file = offer.bootFile else { return }
        if file.contains("\(BootPath.kernelImages)/") {
            return await loadKernelImage(file, name, names, offer.nameServers.first, view, &report)
        }
        if file.hasPrefix("http://") {
            switch await fetch(file, offer.nameServers.first, view) {
            case .success(let answer): report.add(name, .good, "\(file): \(answer.size) bytes over HTTP")
            case .failure(let error): report.add(name, .bad, "\(file): \(error)")
            }
            return
        }
        guard let server = offer.nextServer else {
            return report.add(
                name, .bad, "DHCP names \(file) and no server for it", fix: "set next-server (siaddr) to this server")
        }
        do {
            let loader = try TFTPProbe(server: server, port: options.tftpPort).fetch(file)
            report.add(name, .good, "\(file): \(loader.size) bytes over TFTP from \(server)")
        } catch {
            report.add(
                name, .bad, "\(file) over TFTP: \(error)",
                fix: "is 'provisioner serve' running, are its loaders installed, and does UDP port 69 come through?")
        }
    }

    /// Stage 1, and the machine's own script by it.
    private mutating func script(
        _ machine: Machine, _ names: BootNames, _ nameServer: IPv4Address?, _ view: SubstrateView,
        _ report: inout PreflightReport
    ) async -> BootScript? {
        let first: BootScript
        switch await fetch(names.stage1, nameServer, view) {
        case .failure(let error):
            report.add(
                "stage 1", .bad, "\(names.stage1): \(error)", fix: "is 'provisioner serve' running, on this port?")
            return nil
        case .success(let answer):
            guard let script = BootScript(answer.text), let chain = script.chains.first,
                chain.hasPrefix(names.scriptsBase)
            else {
                report.add(
                    "stage 1", .bad, "\(names.stage1) is not this server's", fix: "what answers at that name and port?")
                return nil
            }
            report.add("stage 1", .good, names.stage1)
            first = script
        }
        let base = first.chains.first?.prefix { $0 != "?" } ?? ""
        let platform = options.firmware.first?.platform ?? "efi"
        let fields = [
            "mac=\(machine.interface.mac.description.replacing(":", with: "-"))", "uuid=\(machine.host.uuid ?? "")",
            "serial=\(Self.escaped(machine.host.serial ?? ""))",
            "arch=\(machine.host.architecture?.rawValue ?? "x86_64")", "platform=\(platform)",
            "\(BootPath.preflight)=1",
        ]
        let url = "\(base)?\(fields.joined(separator: "&"))"
        switch await fetch(url, nameServer, view) {
        case .failure(let error):
            report.add("script", .bad, "\(base): \(error)")
            return nil
        case .success(let answer):
            guard let script = BootScript(answer.text) else {
                report.add("script", .bad, "\(base) gives no iPXE script")
                return nil
            }
            if case .boot(let plan) = machine.decision.outcome, !script.boots, script.chains.isEmpty {
                report.add(
                    "script", .bad,
                    "the server does not give profile \(plan.profile): \(script.messages.last ?? "it says nothing")",
                    fix: "does it use this site file? 'journalctl -u provisioner' tells")
            } else {
                report.add("script", .good, script.messages.first ?? "it leaves the machine to its disk")
            }
            return script
        }
    }

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    /// Every file that the script names.
    private mutating func load(
        _ script: BootScript, _ machine: Machine, _ names: BootNames, _ nameServer: IPv4Address?, _ view: SubstrateView,
        _ report: inout PreflightReport
    ) async {
        guard case .boot(let plan) = machine.decision.outcome else { return }
        let wanted = Set(([plan.kernel] + plan.initrds).map(\.file.digest))
        for load in script.loads {
            // Of one boot, with a token: it is made when it is asked for.
            guard !load.url.contains("/hosts/") else {
                report.add("overlay", .good, "\(plan.overlay.count) files, all in the catalog")
                continue
            }
            await check(load, wanted, by: bootKey, nameServer, view, &report)
        }
        // Firmware that verifies goes on by itself: what it will load is what was planned.
        for chain in script.chains where plan.verifier == .grub && chain.contains("/loaders/") {
            if case .failure(let error) = await fetch(chain, nameServer, view) {
                report.add("loader", .bad, "\(chain): \(error)")
            } else {
                report.add("loader", .good, chain)
            }
        }
        if plan.verifier == nil || plan.verifier == .ipxe, script.loads.count < 1 + plan.initrds.count {
            report.add(
                "files", .bad,
                "the script names \(script.loads.count) of the files of profile \(plan.profile), which has more",
                fix: "is the server's data directory the one that was given here?")
        }
        if plan.verifier == .grub { await loadByGRUB(plan, wanted, machine, names, nameServer, view, &report) }
        if let answer = plan.answer {
            report.add("answer", .good, "\(answer.reference), \(answer.file.size) bytes, in the catalog")
        }
    }

    mutating func check(
        _ load: BootScript.Load, _ wanted: Set<Digest>, by signer: Signer, _ nameServer: IPv4Address?,
        _ view: SubstrateView,
        _ report: inout PreflightReport
    ) async {
        let name = load.url.split(separator: "/").last.map(String.init) ?? load.url
        // The signature is checked over what came, not over what is stored.
        let copy =
            load.signature == nil ? nil : FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { if let copy { try? FileManager.default.removeItem(at: copy) } }
        switch await fetch(load.url, nameServer, view, to: copy) {
        case .failure(let error): report.add(name, .bad, "\(load.url): \(error)")
        case .success(let answer):
            guard answer.tag == "\"\(answer.digest)\"" else {
                return report.add(
                    name, .bad,
                    "\(load.url): what came has digest \(answer.digest), and the server says \(answer.tag ?? "none")",
                    fix: "something on the way changes it, or the disk is bad: 'artifactctl verify'")
            }
            guard wanted.contains(answer.digest) else {
                return report.add(
                    name, .bad, "\(load.url): \(answer.digest) is not what the catalog has",
                    fix: "was it pushed again just now? Then run this once more")
            }
            report.add(name, .good, "\(answer.size) bytes, \(answer.digest)")
            guard let signature = load.signature, let copy else { return }
            await verify(signature, over: copy, name, by: signer, nameServer, view, &report)
        }
    }

    /// Loads from where a machine would: the name is asked of the server that DHCP gave.
    mutating func fetch(
        _ url: String, _ nameServer: IPv4Address?, _ view: SubstrateView, to file: URL? = nil
    ) async -> Result<HTTPProbe.Answer, PreflightError> {
        if file == nil, let known = files[url] { return known }
        let result: Result<HTTPProbe.Answer, PreflightError>
        do throws(PreflightError) {
            guard let host = URLComponents(string: url)?.host else { throw PreflightError(message: "this is no URL") }
            let address = try address(of: host, nameServer, view)
            let probe = HTTPProbe(addresses: [host: address])
            let answer: Result<HTTPProbe.Answer, PreflightError>
            do throws(PreflightError) {
                answer = .success(try await Self.fetchWhenReady(url, to: file, by: probe))
            } catch {
                answer = .failure(error)
            }
            await probe.close()
            result = answer.flatMap { answer in
                answer.status == 200
                    ? .success(answer) : .failure(PreflightError(message: "status \(answer.status): \(answer.text)"))
            }
        } catch {
            result = .failure(error)
        }
        files[url] = result
        return result
    }

    /// Seconds between two questions for what is being made, and how many are asked, as a machine that goes on asking would.
    private static let pause = 3
    private static let questions = 20

    private static func fetchWhenReady(
        _ url: String, to file: URL?, by probe: HTTPProbe
    ) async throws(PreflightError) -> HTTPProbe.Answer {
        for _ in 1..<questions {
            let answer = try await probe.fetch(url, to: file)
            guard answer.status == 503, (try? await Task.sleep(for: .seconds(pause))) != nil else { return answer }
        }
        return try await probe.fetch(url, to: file)
    }

    private func address(
        of name: String, _ nameServer: IPv4Address?, _ view: SubstrateView
    ) throws(PreflightError) -> IPv4Address {
        if let server = options.server { return server }
        if let address = IPv4Address(name) { return address }
        guard let nameServer else {
            throw PreflightError(message: "DHCP gives no DNS server, so the name \(name) cannot be known")
        }
        let found = try NameQuestion.addresses(of: name, at: nameServer)
        guard let address = found.first else {
            throw PreflightError(message: "the DNS server \(nameServer) does not know \(name)")
        }
        let own = view.provisioner.flatMap { view.address(of: $0.interface) }
        if let own, !found.contains(own) {
            throw PreflightError(
                message: "the DNS server \(nameServer) says that \(name) is \(address), and this server is \(own)")
        }
        return address
    }
}
