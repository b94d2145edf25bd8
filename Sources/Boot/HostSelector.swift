internal import Site

/// Finds which host of the site file a request comes from. The MAC decides; UUID, serial number and host name stand in
/// where the request has no MAC that is known, in this order; a name is what DHCP gave out, the host's own or its full
/// one. Whatever the host declares must not contradict the request: a UUID, serial number or name with a foreign MAC finds the host only to be refused, for boards share UUIDs
/// and anybody can take a name. A host that lists no interfaces is meant to be found by its UUID or serial number.
struct HostSelector {
    struct Selection {
        var host: Host?
        var reasons: [String]
        /// Set when the request contradicts what the host declares.
        var conflict: String?
    }

    let site: Site

    func select(_ request: BootRequest) -> Selection {
        let candidates: [(String, Host?)] = [
            ("MAC \(request.mac?.description ?? "")", request.mac.flatMap { site.host(mac: $0) }),
            ("UUID \(request.uuid ?? "")", request.uuid.flatMap { site.host(uuid: $0) }),
            ("serial \(request.serial ?? "")", request.serial.flatMap { site.host(serial: $0) }),
            (
                "host name \(request.hostName ?? "")",
                request.hostName.flatMap { site.host($0) ?? site.host(fullName: $0) }
            ),
        ]
        guard let (selector, host) = candidates.first(where: { $0.1 != nil }), let host else {
            let said = request.mac.map { "MAC \($0)" } ?? request.uuid.map { "UUID \($0)" } ?? "the machine"
            return Selection(host: nil, reasons: ["\(said) matches no host by MAC, UUID, serial number or name"])
        }
        return Selection(
            host: host, reasons: ["\(selector) is host \(host.name)"], conflict: conflict(of: host, with: request))
    }

    private func conflict(of host: Host, with request: BootRequest) -> String? {
        if let mac = request.mac, !host.interfaces.contains(where: { $0.mac == mac }),
            !(host.interfaces.isEmpty && isPinned(host, by: request))
        {
            return "it says it is \(host.name), but \(mac) is none of that host's interfaces: "
                + "add the interface to the site file"
        }
        if let declared = host.uuid, let reported = request.uuid, declared != reported {
            return "\(host.name) must have UUID \(declared), but the machine reports \(reported)"
        }
        if let declared = host.serial, let reported = request.serial, declared != reported {
            return "\(host.name) must have serial number \(declared), but the machine reports another"
        }
        if let declared = host.architecture, let reported = request.architecture, !declared.isReported(as: reported) {
            return "\(host.name) must be \(declared.rawValue), but the machine reports \(reported.rawValue)"
        }
        return nil
    }

    private func isPinned(_ host: Host, by request: BootRequest) -> Bool {
        (host.uuid != nil && host.uuid == request.uuid) || (host.serial != nil && host.serial == request.serial)
    }
}

extension Architecture {
    /// undionly.kpxe is a 32-bit program whatever the processor is, so i386 says nothing against x86_64.
    fileprivate func isReported(as reported: Architecture) -> Bool {
        self == reported || (self == .x86_64 && reported == .i386)
    }
}
