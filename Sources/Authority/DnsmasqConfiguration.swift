internal import Artifacts
package import Site

/// dnsmasq's configuration for one substrate in provisioner mode. The same site revision, interface and paths always
/// give the same text.
package struct DnsmasqConfiguration: Sendable {
    let view: SubstrateView
    let segment: Segment
    private let subnet: IPv4Network
    private let gateway: IPv4Address
    let server: IPv4Address
    let serverName: DomainName
    private let interface: String
    private let leaseFile: String
    let bootFiles: BootFiles
    private let upstream: [IPv4Address]

    /// `interface` is the network interface that has the server's address, `upstream` the resolvers for names outside
    /// the site: without any, such names are refused.
    /// - Throws: `AuthorityError` `notReady` when the site gives this substrate no provisioner with an address.
    package init(
        view: SubstrateView, interface: String, leaseFile: String, bootFiles: BootFiles, upstream: [IPv4Address]
    ) throws(AuthorityError) {
        guard let provisioner = view.provisioner, let name = view.provisionerName,
            let address = view.address(of: provisioner.interface), let subnet = provisioner.segment.subnet,
            let gateway = provisioner.segment.gateway
        else {
            throw AuthorityError(
                .notReady,
                "substrate '\(view.substrate.name)' has no host of the management plane with 'claims_gateway: true'")
        }
        self.view = view
        segment = provisioner.segment
        self.subnet = subnet
        self.gateway = gateway
        server = address
        serverName = name
        self.interface = interface
        self.leaseFile = leaseFile
        self.bootFiles = bootFiles
        self.upstream = upstream
    }

    /// The file's text.
    package func rendered() -> String {
        (header + listening + naming + records + addressing + booting).joined(separator: "\n") + "\n"
    }

    /// The text without what only tells the revision: two configurations with the same behaviour give the same.
    package var behaviour: String {
        (listening + naming + records.filter { !$0.hasPrefix("txt-record=_site.") && !$0.contains(",6,") } + addressing
            + booting).joined(separator: "\n")
    }

    private var header: [String] {
        [
            "# Substrate \(view.substrate.name), mode \(view.mode.rawValue), site revision \(view.site.revision).",
            "# Written by provisioner: changes are lost.",
        ]
    }

    private var listening: [String] {
        // bind-dynamic and not bind-interfaces: the address may come and go while dnsmasq runs.
        ["interface=\(interface)", "except-interface=lo", "bind-dynamic", "no-hosts", "no-resolv", "no-poll"]
    }

    private var naming: [String] {
        var lines = [
            "domain=\(view.substrate.zone)", "domain-needed", "bogus-priv", "local-ttl=\(view.site.management.ttl)",
        ]
        lines += view.zones.map { "local=/\($0)/" }
        lines.append("local=/\(subnet.reverseZone)/")
        lines += upstream.map { "server=\($0)" }
        return lines
    }

    /// host-record and not address=, which is a wildcard, gives no reverse name, and leaves aliases without an address.
    /// SOA and NS as plain records and not by auth-zone, which cuts alias chains where they change zone.
    private var records: [String] {
        let ttl = view.site.management.ttl
        var lines = view.records.map { record in
            switch record.value {
            case .address(let address): "host-record=\(record.name),\(address),\(ttl)"
            case .alias(let target): "cname=\(record.name),\(target),\(ttl)"
            }
        }
        for zone in view.zones {
            lines.append("dns-rr=\(zone),6,\(startOfAuthority)")
            lines.append("dns-rr=\(zone),2,\(Self.hex(Self.wire(serverName)))")
            let revision = view.site.revision.hex.prefix(12)
            lines.append("txt-record=_site.\(zone),revision=\(revision),mode=\(view.mode.rawValue)")
        }
        return lines
    }

    /// RFC 1035 section 3.3.13. The serial is made from the revision: there are no secondaries that compare it.
    private var startOfAuthority: String {
        let serial = view.site.revision.bytes.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
        let numbers: [UInt32] = [serial, 3600, 600, 604_800, UInt32(view.site.management.ttl)]
        let tail = numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }
        return Self.hex(Self.wire(serverName) + Self.wire(view.site.rootDomain.prefixed("hostmaster")) + tail)
    }

    /// RFC 1035 section 3.1.
    private static func wire(_ name: DomainName) -> [UInt8] {
        name.description.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    }

    private var addressing: [String] {
        let lease = view.site.policy.rebuildLease
        let pool = segment.pool.flatMap { $0.onlyIn == nil || $0.onlyIn == view.mode ? $0 : nil }
        let range = pool.map { "\($0.first),\($0.last)" } ?? "\(subnet.address),static"
        var lines = [
            "dhcp-authoritative", "no-ping", "dhcp-leasefile=\(leaseFile)",
            "dhcp-range=\(range),\(subnet.netmask),\(lease)s",
            "dhcp-option=option:router,\(gateway)", "dhcp-option=option:dns-server,\(server)",
            "dhcp-option=option:domain-name,\(view.substrate.zone)",
            // A machine that nobody knows must not become "artifacts" in DNS by calling itself so.
            "dhcp-ignore-names=tag:!known",
        ]
        let reservations = view.reservations(of: segment)
        lines += reservations.map { "dhcp-host=\($0.mac),\($0.address),\($0.hostName)" }
        lines += verifying.map { "dhcp-mac=set:\($0.tag),\($0.mac)" }
        return lines
    }
}
