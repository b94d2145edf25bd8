internal import ConfigurationFile

/// Rules about values together: references, uniqueness, addresses, authority. Each finding carries the rule's code
/// (docs/site-file.md) and the fix.
struct SiteRules {
    let site: Site
    let diagnostics: DiagnosticCollector

    func check() {
        checkZones()
        for substrate in site.substrates { checkSegments(of: substrate) }
        checkHosts()
        checkAddresses()
        checkServices()
        checkIntent()
        checkAuthority()
        checkTrust()
        checkDerivedNames()
    }

    func fail(_ code: String, _ path: String, _ message: String) {
        diagnostics.report(.error, code, path: path, "\(path): \(message)")
    }

    /// Reports a name that `mapping` lacks. One that stands there but could not be read has its own finding.
    func failUnknown(
        _ path: String, _ word: String, in mapping: String, among candidates: [String], code: String = "V42"
    ) {
        guard !diagnostics.stands("\(mapping).\(word)") else { return }
        let hint =
            Spelling.nearest(to: word, among: candidates).map { "did you mean '\($0)'?" }
            ?? "known: \(candidates.isEmpty ? "none" : candidates.sorted().joined(separator: ", "))"
        fail(code, path, "'\(word)' does not exist; \(hint)")
    }

    private func checkZones() {
        if let zone = site.management.zone, !zone.isWithin(site.rootDomain) {
            fail("V30", "management.zone", "'\(zone)' is not below root_domain '\(site.rootDomain)'")
        }
        for substrate in site.substrates {
            for (word, meaning) in [("management", "the management plane"), ("policy", "'authority.policy'")]
            where substrate.name == word {
                fail(
                    "V02", "substrates.\(word)",
                    "the name is reserved: '\(word)' means \(meaning) elsewhere in this file")
            }
            let path = "substrates.\(substrate.name).zone"
            if !substrate.zone.isWithin(site.rootDomain) {
                fail("V30", path, "'\(substrate.zone)' is not below root_domain '\(site.rootDomain)'")
            }
            if let zone = site.management.zone, zone.isWithin(substrate.zone) || substrate.zone.isWithin(zone) {
                fail("V30", path, "a substrate's zone and the management zone '\(zone)' must not hold one another")
            }
            for other in site.substrates where other.name < substrate.name && other.zone == substrate.zone {
                fail("V12", path, "'\(substrate.zone)' is the zone of '\(other.name)' too")
            }
        }
    }

    private func checkSegments(of substrate: Substrate) {
        for segment in substrate.segments {
            let path = "substrates.\(substrate.name).segments.\(segment.name)"
            guard let subnet = segment.subnet else {
                for (key, present) in [("gateway", segment.gateway != nil), ("pool", segment.pool != nil)] where present
                {
                    fail(
                        "V23", "\(path).\(key)",
                        "a segment without a subnet carries no addresses: add 'subnet' or remove this")
                }
                continue
            }
            if let cidr = substrate.cidr, !cidr.contains(subnet) {
                fail("V22", "\(path).subnet", "\(subnet) is not inside the substrate's cidr \(cidr)")
            }
            if let gateway = segment.gateway, !isUsable(gateway, in: subnet) {
                fail("V20", "\(path).gateway", "\(gateway) is not a host address of \(subnet)")
            }
            if let vlan = segment.vlan, subnet.prefixLength == 24, Int(subnet.address.value >> 8 & 255) != vlan {
                diagnostics.report(
                    .warning, "V22", path: "\(path).vlan", "\(path).vlan: \(vlan) is not the third octet of \(subnet)")
            }
            if let pool = segment.pool {
                if pool.last < pool.first {
                    fail("V21", "\(path).pool.range", "it ends (\(pool.last)) before it starts (\(pool.first))")
                }
                for end in [pool.first, pool.last] where !isUsable(end, in: subnet) {
                    fail("V21", "\(path).pool.range", "\(end) is not a host address of \(subnet)")
                }
            }
        }
        checkOverlaps(of: substrate)
    }

    private func checkOverlaps(of substrate: Substrate) {
        for other in site.substrates where other.name <= substrate.name {
            if other.name < substrate.name, let first = other.cidr, let second = substrate.cidr, first.overlaps(second)
            {
                fail("V22", "substrates.\(substrate.name).cidr", "\(second) overlaps \(first) of '\(other.name)'")
            }
            for segment in substrate.segments {
                for rival in other.segments where (other.name, rival.name) < (substrate.name, segment.name) {
                    if let first = rival.subnet, let second = segment.subnet, first.overlaps(second) {
                        fail(
                            "V22", "substrates.\(substrate.name).segments.\(segment.name).subnet",
                            "\(second) overlaps \(first) of '\(other.name)/\(rival.name)'")
                    }
                }
            }
        }
    }

    func isUsable(_ address: IPv4Address, in subnet: IPv4Network) -> Bool {
        guard subnet.contains(address) else { return false }
        return subnet.prefixLength >= 31 || (address != subnet.address && address != subnet.broadcast)
    }

    private func checkHosts() {
        var macs: [MACAddress: String] = [:]
        var uuids: [String: String] = [:]
        var serials: [String: String] = [:]
        for host in site.hosts {
            let path = "hosts.\(host.name)"
            if host.name == "authority" {
                fail("V02", path, "the name is reserved: as a provider it means a substrate's authority")
            }
            if let substrate = host.substrate, site.substrate(substrate) == nil {
                failUnknown(
                    "\(path).plane", substrate, in: "substrates", among: site.substrates.map(\.name) + ["management"])
            }
            if !hasRoleAndNumber(host) {
                diagnostics.report(
                    .warning, "V02", path: path,
                    "\(path): names usually end in a form and two digits, such as \(host.form?.rawValue ?? "hv")01")
            }
            if let uuid = host.uuid, let other = uuids.updateValue(host.name, forKey: uuid) {
                fail("V10", "\(path).uuid", "host '\(other)' has the same UUID")
            }
            if let serial = host.serial, let other = serials.updateValue(host.name, forKey: serial) {
                fail("V10", "\(path).serial", "host '\(other)' has the same serial number")
            }
            if host.interfaces.filter(\.isPrimary).count > 1 {
                fail("V14", "\(path).interfaces", "only one interface may be primary")
            }
            for interface in host.interfaces {
                let name = "\(path).interfaces.\(interface.name)"
                if let other = macs.updateValue(name, forKey: interface.mac) {
                    fail("V10", "\(name).mac", "\(interface.mac) belongs to \(other) too")
                }
                checkInterface(interface, of: host, name)
            }
        }
    }

    private func hasRoleAndNumber(_ host: Host) -> Bool {
        let digits = host.name.reversed().prefix { $0.isNumber }
        let stem = host.name.dropLast(digits.count)
        return digits.count >= 2 && HostForm.allCases.contains { stem.hasSuffix($0.rawValue) }
    }

    private func checkInterface(_ interface: Interface, of host: Host, _ path: String) {
        guard let name = interface.segment else {
            if interface.address != .dhcp || interface.claimsGateway {
                fail("V42", path, "an interface with an address must say where it is: add 'at: SUBSTRATE/SEGMENT'")
            }
            return
        }
        guard let substrate = site.substrate(name.substrate) else {
            failUnknown("\(path).at", name.substrate, in: "substrates", among: site.substrates.map(\.name))
            return
        }
        guard let segment = substrate.segment(name.segment) else {
            failUnknown(
                "\(path).at", name.segment, in: "substrates.\(substrate.name).segments",
                among: substrate.segments.map(\.name))
            return
        }
        if interface.claimsGateway, host.substrate != nil {
            fail("V15", "\(path).claims_gateway", "only a host of the management plane may take a gateway's address")
        }
        guard let subnet = segment.subnet else {
            if interface.address != .dhcp { fail("V23", "\(path).ip", "segment '\(name)' carries no addresses") }
            return
        }
        if case .fixed(let address) = interface.address {
            if address == segment.gateway {
                fail("V20", "\(path).ip", "\(address) is the gateway of '\(name)': write 'ip: gateway'")
            } else if !isUsable(address, in: subnet) {
                fail("V20", "\(path).ip", "\(address) is not a host address of \(subnet)")
            }
        }
        if interface.address == .gateway || interface.claimsGateway, segment.gateway == nil {
            fail("V20", path, "segment '\(name)' has no gateway: add one")
        }
        if let rebuild = interface.addressInRebuild, !isUsable(rebuild, in: subnet) || rebuild == segment.gateway {
            fail(
                "V32", "\(path).ip_in_rebuild", "\(rebuild) must be a host address of \(subnet) other than the gateway")
        }
    }

    private func checkAddresses() {
        var owners: [IPv4Address: String] = [:]
        var routers: [SegmentName: String] = [:]
        var gatewayClaims: [SegmentName: String] = [:]
        for host in site.hosts {
            for interface in host.interfaces {
                let path = "hosts.\(host.name).interfaces.\(interface.name)"
                var addresses: [(String, IPv4Address)] = []
                if case .fixed(let address) = interface.address { addresses.append(("ip", address)) }
                if let address = interface.addressInRebuild { addresses.append(("ip_in_rebuild", address)) }
                for (key, address) in addresses {
                    if let other = owners.updateValue(path, forKey: address), other != path {
                        fail("V11", "\(path).\(key)", "\(address) belongs to \(other) too")
                    }
                    if let name = interface.segment, let pool = segment(name)?.pool, pool.contains(address) {
                        fail(
                            "V21", "\(path).\(key)",
                            "\(address) lies in the pool of '\(name)': reservations stay outside")
                    }
                }
                if interface.address == .gateway, let name = interface.segment,
                    let other = routers.updateValue(path, forKey: name)
                {
                    fail(
                        "V15", "\(path).ip",
                        "\(other) is the gateway of '\(name)' already: give one of them its own address")
                }
                if interface.claimsGateway, let name = interface.segment,
                    let other = gatewayClaims.updateValue(path, forKey: name)
                {
                    fail("V15", "\(path).claims_gateway", "\(other) claims the gateway of '\(name)' too")
                }
            }
        }
        for substrate in site.substrates {
            for segment in substrate.segments {
                if let gateway = segment.gateway, let pool = segment.pool, pool.contains(gateway) {
                    fail(
                        "V21", "substrates.\(substrate.name).segments.\(segment.name).pool.range",
                        "the gateway \(gateway) lies in it")
                }
            }
        }
    }

    private func segment(_ name: SegmentName) -> Segment? { site.substrate(name.substrate)?.segment(name.segment) }
}
