internal import Boot
internal import Site

/// What DHCP offers a machine, and whether it can start with that.
struct DHCPSteps {
    let view: SubstrateView
    let machine: Preflight.Machine
    let options: Preflight.Options

    /// What its firmware is offered; nil where it cannot go on.
    func firmwareOffer(
        _ firmware: Preflight.Firmware, _ names: BootNames, _ report: inout PreflightReport
    ) -> DHCPMessage? {
        let name = "dhcp \(firmware.rawValue)"
        guard let offer = offer(name, firmware.architecture, userClass: nil, &report) else { return nil }
        guard let file = offer.bootFile else {
            report.add(
                name, .bad, "\(offer.server) offers no boot file", fix: fix("set the boot file for this firmware"))
            return nil
        }
        if firmware == .uefiHTTP {
            guard file.hasPrefix("http://") else {
                report.add(
                    name, .bad, "\(file) is no URL, and UEFI's HTTP boot wants one",
                    fix: fix("give \(names.loader("ipxe.efi"))"))
                return nil
            }
            guard offer.vendorClass?.hasPrefix("HTTPClient") == true else {
                report.add(
                    name, .bad, "\(offer.server) does not say HTTPClient in option 60, and firmware then ignores it",
                    fix: fix("send option 60 'HTTPClient' to clients of architecture 16"))
                return nil
            }
        }
        report.add(name, .good, "\(offer.address) from \(offer.server), boots \(file)")
        return offer
    }

    /// What iPXE is offered once it runs; nil where it cannot go on.
    func loaderOffer(_ names: BootNames, _ report: inout PreflightReport) -> DHCPMessage? {
        let architecture = options.firmware.first?.architecture ?? 7
        guard let offer = offer("dhcp ipxe", architecture, userClass: "iPXE", &report) else { return nil }
        if offer.bootFile == names.stage1 {
            report.add("dhcp ipxe", .good, "\(names.stage1)")
        } else {
            report.add(
                "dhcp ipxe", .doubtful,
                "iPXE is given \(offer.bootFile ?? "nothing"): it finds its script all the same where it was loaded from here",
                fix: fix("give \(names.stage1) to clients whose user class (option 77) is iPXE"))
        }
        return offer
    }

    private func offer(
        _ name: String, _ architecture: UInt16, userClass: String?, _ report: inout PreflightReport
    ) -> DHCPMessage? {
        guard let place = machine.interface.segment, let segment = view.substrate.segment(place.segment),
            let subnet = segment.subnet, let interface = options.interface(subnet)
        else {
            report.add(
                name, .bad, "this machine has no address on \(machine.interface.segment?.description ?? "its segment")",
                fix: "run this on a machine that has, or tell where the server is with --server")
            return nil
        }
        let question = DHCPMessage.Question(
            transaction: UInt32.random(in: .min ... .max), mac: machine.interface.mac, architecture: architecture,
            userClass: userClass)
        let offers: [DHCPMessage]
        do {
            offers = try DHCPProbe(interface: interface).offers(question, milliseconds: options.patience)
        } catch {
            report.add(name, .bad, "\(error)", fix: "run this as root")
            return nil
        }
        let servers = offers.map(\.server).reduce(into: [IPv4Address]()) { if !$0.contains($1) { $0.append($1) } }
        guard let offer = offers.first else {
            report.add(
                name, .bad, "no DHCP server answers on \(interface)",
                fix: fix("is there a DHCP server on this segment, with an address for this machine?"))
            return nil
        }
        guard servers.count == 1 else {
            let list = servers.map(\.description).joined(separator: ", ")
            report.add(
                name, .bad, "\(servers.count) DHCP servers answer: \(list)",
                fix: "switch off all but one: which of them a machine hears first is chance")
            return nil
        }
        let reserved = view.reservations(of: segment).first { $0.mac == machine.interface.mac }?.address
        if let reserved, offer.address != reserved {
            report.add(
                name, .bad, "\(offer.server) offers \(offer.address), and the site file says \(reserved)",
                fix: fix("reserve \(reserved) for \(machine.interface.mac)"))
            return nil
        }
        guard !offer.nameServers.isEmpty else {
            report.add(name, .bad, "\(offer.server) gives no DNS server", fix: fix("give one: scripts have names"))
            return nil
        }
        return offer
    }

    /// Where it has to be done.
    private func fix(_ text: String) -> String {
        view.mode == .router
            ? "on the router that serves DHCP: \(text)"
            : "\(text) ('provisioner status' and its log tell who serves DHCP here)"
    }
}
