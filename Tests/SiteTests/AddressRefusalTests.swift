import ConfigurationFile
import Testing

/// V20 to V23: where addresses may lie.
@Suite struct AddressRefusalTests {
    @Test(arguments: [
        BadSite("the gateway's", "V20", "write 'ip: gateway'", replacing: "ip: 10.20.99.21", with: "▶ip: 10.20.99.1"),
        BadSite(
            "outside its subnet", "V20", "not a host address", replacing: "ip: 10.20.99.21", with: "▶ip: 10.20.98.21"),
        BadSite("the network's", "V20", "not a host address", replacing: "ip: 10.20.99.21", with: "▶ip: 10.20.99.0"),
        BadSite("broadcast", "V20", "not a host address", replacing: "ip: 10.20.99.21", with: "▶ip: 10.20.99.255"),
        BadSite(
            "in the pool", "V21", "reservations stay outside", replacing: "ip: 10.20.99.21", with: "▶ip: 10.20.99.100"),
        BadSite("leading zero", "V20", "not an IPv4 address", replacing: "ip: 10.20.99.21", with: "▶ip: 10.20.99.021"),
        BadSite(
            "without a segment", "V42", "add 'at:", replacing: "mgmt: {",
            with: "▶wan: {mac: \"52:54:00:00:00:04\", ip: 10.0.0.9}\n      mgmt: {"),
        BadSite(
            "for rebuild: the gateway's", "V32", "other than the gateway", replacing: "ip_in_rebuild: 10.20.99.2",
            with: "▶ip_in_rebuild: 10.20.99.1"),
        BadSite(
            "for rebuild: in the pool", "V21", "lies in the pool", replacing: "ip_in_rebuild: 10.20.99.2",
            with: "▶ip_in_rebuild: 10.20.99.150"),
    ])
    func reportsInterfaceAddresses(_ site: BadSite) throws { try site.check() }

    @Test(arguments: [
        BadSite(
            "ends outside the subnet", "V21", "10.20.100.9 is not a host address",
            replacing: "range: [10.20.99.100, 10.20.99.200]", with: "▶range: [10.20.99.100, 10.20.100.9]"),
        BadSite(
            "ends before it starts", "V21", "before it starts", replacing: "range: [10.20.99.100, 10.20.99.200]",
            with: "▶range: [10.20.99.200, 10.20.99.100]"),
        BadSite(
            "one address", "V21", "two addresses", replacing: "range: [10.20.99.100, 10.20.99.200]",
            with: "▶range: [10.20.99.100]"),
        BadSite(
            "no address", "V21", "not an IPv4 address", replacing: "range: [10.20.99.100, 10.20.99.200]",
            with: "range: [10.20.99.100, ▶all]"),
        BadSite(
            "no range", "V21", "range: [first, last]", replacing: "{range: [10.20.99.100, 10.20.99.200]}",
            with: "▶{only_in: router}"),
        BadSite(
            "unknown mode", "V21", "'router', 'provisioner'", replacing: "{range:", with: "{▶only_in: always, range:"),
        BadSite(
            "holds the gateway", "V21", "the gateway 10.20.99.1", replacing: "range: [10.20.99.100, 10.20.99.200]",
            with: "▶range: [10.20.99.1, 10.20.99.1]"),
    ])
    func reportsPools(_ site: BadSite) throws { try site.check() }

    @Test(arguments: [
        BadSite("host bits", "V20", "no host bit set", replacing: "cidr: 10.20.0.0/16", with: "▶cidr: 10.20.0.1/16"),
        BadSite(
            "outside the substrate", "V22", "not inside", replacing: "cidr: 10.20.0.0/16", with: "cidr: 10.21.0.0/16",
            also: ["subnet:": "▶subnet:"]),
        BadSite(
            "segments that overlap", "V22", "overlaps 10.20.98.0/23", replacing: "subnet: 10.20.99",
            with: "▶subnet: 10.20.99",
            also: ["{vlan: 999}": "{vlan: 999, subnet: 10.20.98.0/23}"]),
        BadSite(
            "substrates that overlap", "V22", "overlaps 10.20.0.0/16 of 'lab'", replacing: "substrates:\n",
            with: "substrates:\n  zoo:\n    zone: zoo.example.net\n    ▶cidr: 10.0.0.0/8\n",
            also: ["authority:\n": "authority:\n  zoo: {declared: router}\n"]),
        BadSite(
            "gateway outside", "V20", "not a host address", replacing: "{vlan: 999}",
            with: "{subnet: 10.20.30.0/24, ▶gateway: 10.20.31.1}"),
        BadSite(
            "black hole with a gateway", "V23", "carries no addresses", replacing: "{vlan: 999}",
            with: "{▶gateway: 10.20.9.1}"),
        BadSite(
            "black hole with a pool", "V23", "carries no addresses", replacing: "{vlan: 999}",
            with: "{▶pool: {range: [10.20.9.1, 10.20.9.2]}}"),
        BadSite(
            "host in a black hole", "V23", "carries no addresses", replacing: "mgmt: {",
            with: "hole: {mac: \"52:54:00:00:00:04\", at: lab/blackhole, ▶ip: 10.20.9.9}\n      mgmt: {"),
    ])
    func reportsNetworks(_ site: BadSite) throws { try site.check() }
}
