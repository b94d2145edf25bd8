import ConfigurationFile
import Testing

/// V12, V15, V30 to V32, V60 and V61: who answers, and what may not stand in the file.
@Suite struct AuthorityRefusalTests {
    @Test(arguments: [
        BadSite("absent", "V31", "there is no default", replacing: "{declared: router, router", with: "▶{router"),
        BadSite(
            "unknown mode", "V31", "'router', 'provisioner'", replacing: "declared: router", with: "▶declared: both"),
        BadSite(
            "substrate without authority", "V31", "add 'zoo: {declared: router}'", replacing: "authority:\n",
            with: "▶authority:\n",
            also: ["substrates:\n": "substrates:\n  zoo: {zone: zoo.example.net}\n"]),
        BadSite(
            "unknown substrate", "V42", "did you mean 'lab'", replacing: "authority:\n",
            with: "authority:\n  ▶lap: {declared: router}\n"),
        BadSite(
            "nobody to take the gateway", "V15", "claims_gateway: true", replacing: "declared: router",
            with: "▶declared: provisioner", also: [", claims_gateway: true": ""]),
    ])
    func reportsModes(_ site: BadSite) throws { try site.check() }

    @Test(arguments: [
        BadSite(
            "unknown host", "V42", "did you mean 'core-rt01'", replacing: "host: core-rt01", with: "▶host: core-rt02"),
        BadSite("without a gateway leg", "V32", "has 'ip: gateway'", replacing: "host: core-rt01", with: "▶host: hv01"),
        BadSite(
            "without an address in rebuild", "V32", "needs 'ip_in_rebuild'", replacing: "host: core-rt01",
            with: "▶host: core-rt01", also: [", ip_in_rebuild: 10.20.99.2": ""]),
        BadSite(
            "second router", "V15", "hosts.core-rt01.interfaces.lan is the gateway", replacing: "ip: 10.20.99.21",
            with: "▶ip: gateway"),
        BadSite("without a kind", "V01", "kind: opnsense", replacing: "router: {kind: vyos, ", with: "router: ▶{"),
    ])
    func reportsRouters(_ site: BadSite) throws { try site.check() }

    @Test(arguments: [
        BadSite(
            "second claim", "V15", "hosts.boot-ph01.interfaces.lab claims", replacing: "hosts:\n  boot-ph01:\n",
            with: "hosts:\n  boot-ph01:\n",
            also: [
                "  core-rt01:\n": """
                  boot-ph02:
                    plane: management
                    interfaces:
                      lab: {mac: "52:54:00:00:00:09", at: lab/management, ip: 10.20.99.96, ▶claims_gateway: true}
                  core-rt01:

                """
            ]),
        BadSite(
            "claim by a workload", "V15", "only a host of the management plane", replacing: "ip: 10.20.99.21",
            with: "ip: 10.20.99.21, ▶claims_gateway: true", also: [", claims_gateway: true": ""]),
    ])
    func reportsGatewayClaims(_ site: BadSite) throws { try site.check() }

    @Test(arguments: [
        BadSite(
            "management below the substrate", "V30", "must not hold one another", replacing: "zone: mgmt.",
            with: "zone: mgmt.lab.", also: ["    zone: lab.": "    ▶zone: lab."]),
        BadSite(
            "substrate below management", "V30", "must not hold one another", replacing: "    zone: lab.",
            with: "    ▶zone: lab.mgmt."),
        BadSite(
            "outside the root domain", "V30", "is not below root_domain", replacing: "    zone: lab.example.net",
            with: "    ▶zone: lab.example.com"),
        BadSite(
            "two substrates in one zone", "V12", "is the zone of 'lab' too", replacing: "substrates:\n",
            with: "substrates:\n  zoo: {▶zone: lab.example.net}\n",
            also: ["authority:\n": "authority:\n  zoo: {declared: router}\n"]),
    ])
    func reportsZones(_ site: BadSite) throws { try site.check() }

    @Test(arguments: [
        BadSite(
            "router's password", "V60", "write secret:NAME", replacing: #"credentials: "secret:vyos""#,
            with: "▶credentials: hunter2"),
        BadSite(
            "empty reference", "V60", "write secret:NAME", replacing: #"credentials: "secret:vyos""#,
            with: #"▶credentials: "secret:""#),
        BadSite(
            "BMC's password", "V60", "write secret:NAME", replacing: "authority:\n",
            with: "oob: {hv01: {bmc: {interface: ipmi, protocol: redfish, ▶credentials: hunter2}}}\nauthority:\n"),
    ])
    func reportsSecretsInClear(_ site: BadSite) throws { try site.check() }

    @Test(arguments: ["site", "update"])
    func refusesToPromiseSignatures(_ key: String) throws {
        try BadSite(
            key, "V61", "set it to false", replacing: "authority:\n",
            with: "trust: {require_signed: {▶\(key): true}}\nauthority:\n"
        ).check()
    }
}
