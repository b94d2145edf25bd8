import ConfigurationFile
import Testing

/// V01, V02 and V40: what keys and single values may be.
@Suite struct FormRefusalTests {
    @Test(arguments: [
        BadSite("unknown", "V01", "did you mean 'vlan'?", replacing: "{vlan: 999}", with: "{▶vlen: 999}"),
        BadSite(
            "unknown at the top", "V01", "did you mean 'hosts'?", replacing: "hosts:\n", with: "▶host: {}\nhosts:\n"),
        BadSite(
            "like no other", "V01", "known here: arch, form, interfaces, plane, serial, tftp_blksize, uuid",
            replacing: "form: ph",
            with: "▶colour: red"),
        BadSite("two of them", "V01", "unknown key", replacing: "form: ph", with: "▶colour: red\n    ▶size: 3"),
        BadSite("no word", "V01", "plain words", replacing: "form: hv", with: "▶[form]: hv"),
        BadSite(
            "absent", "V01", "plane: management", replacing: "hosts:\n", with: "hosts:\n  sw01:\n    ▶form: sw\n"),
        BadSite(
            "unknown below authority", "V01", "did you mean 'declared'", replacing: "  lab: {declared",
            with: "  lab: {▶declare: x, declared"),
        BadSite(
            "unknown policy", "V01", "rebuild_lease", replacing: "{rebuild_lease",
            with: "{▶rebuild_leese: 1, rebuild_lease"),
    ])
    func reportsKeys(_ site: BadSite) throws { try site.check() }

    @Test(arguments: [
        BadSite(
            "another schema", "V01", "provisioner.site/1", replacing: "schema: provisioner.site/1",
            with: "▶schema: provisioner.site/2"),
        BadSite("mapping for a value", "V01", "a single value", replacing: "form: ph", with: "▶form: {}"),
        BadSite(
            "value for a mapping", "V01", "must be a mapping", replacing: "blackhole: {vlan: 999}",
            with: "blackhole: ▶999"),
        BadSite("value for a list", "V01", "a list is expected", replacing: #"args: ["auto"]"#, with: "▶args: auto"),
        BadSite("list in a list", "V01", "a single value", replacing: #"args: ["auto"]"#, with: #"args: [▶["auto"]]"#),
        BadSite("number too large", "V01", "from 1 to 4094", replacing: "vlan: 999", with: "▶vlan: 4095"),
        BadSite("number with a unit", "V01", "whole number", replacing: "ttl: 60", with: "▶ttl: 60s"),
        BadSite(
            "boolean as yes", "V01", "true or false", replacing: "claims_gateway: true", with: "▶claims_gateway: yes"),
        BadSite(
            "duration without unit", "V01", "10m, 2h or 30d", replacing: "rebuild_lease: 10m",
            with: "▶rebuild_lease: 600"),
        BadSite(
            "duration too short", "V01", "from 120s", replacing: "rebuild_lease: 10m", with: "▶rebuild_lease: 119s"),
        BadSite(
            "duration that overflows", "V01", "from 120s", replacing: "rebuild_lease: 10m",
            with: "▶rebuild_lease: 9223372036854775807h"),
        BadSite(
            "unknown word", "V01", "from-uplink or a list", replacing: "upstream_dns: from", with: "▶upstream_dns: to"),
        BadSite(
            "name for an address", "V20", "not an IPv4 address", replacing: "upstream_dns: from-uplink",
            with: "upstream_dns: [10.0.0.1, ▶dns.example.net]"),
        BadSite(
            "value for the policy", "V01", "must be a mapping",
            replacing: "{rebuild_lease: 10m, upstream_dns: from-uplink}", with: "▶none"),
    ])
    func reportsValues(_ site: BadSite) throws { try site.check() }

    @Test(arguments: [
        BadSite("upper case", "V02", "lower-case", replacing: "hosts:\n", with: "hosts:\n  ▶SW01: {plane: lab}\n"),
        BadSite("with a dot", "V02", "1 to 63", replacing: "hosts:\n", with: "hosts:\n  ▶sw01.lab: {plane: lab}\n"),
        BadSite("empty", "V02", "1 to 63", replacing: "hosts:\n", with: "hosts:\n  ▶\"\": {plane: lab}\n"),
        BadSite("outer dash", "V02", "inner dashes", replacing: "hosts:\n", with: "hosts:\n  ▶sw01-: {plane: lab}\n"),
        BadSite(
            "64 letters", "V02", "1 to 63", replacing: "hosts:\n",
            with: "hosts:\n  ▶\(String(repeating: "a", count: 62))01: {plane: lab}\n"),
        BadSite("unknown form", "V02", "'hv', 'vm'", replacing: "form: ph", with: "▶form: xx"),
        BadSite("root domain", "V02", "not a domain name", replacing: "root_domain: e", with: "▶root_domain: E"),
        BadSite("empty label", "V02", "not a domain name", replacing: "zone: mgmt.", with: "▶zone: mgmt.."),
        BadSite(
            "zero UUID", "V02", "not all equal", replacing: "form: ph",
            with: "▶uuid: 00000000-0000-0000-0000-000000000000"),
        BadSite(
            "filler serial", "V02", "printed on the case", replacing: "form: ph",
            with: "▶serial: To be filled by O.E.M."),
        BadSite("unknown architecture", "V02", "'x86_64'", replacing: "form: ph", with: "▶arch: sparc"),
        BadSite(
            "reserved for the management plane", "V02", "reserved", replacing: "substrates:\n",
            with: "substrates:\n  ▶management: {zone: m.example.net}\n",
            also: ["authority:\n": "authority:\n  management: {declared: router}\n"]),
        BadSite(
            "reserved for providers", "V02", "reserved", replacing: "hosts:\n",
            with: "hosts:\n  ▶authority: {plane: management}\n"),
    ])
    func reportsNames(_ site: BadSite) throws { try site.check() }

    @Test(arguments: ["packages", "kernel", "initrd", "args", "image", "profile", "boot"])
    func refusesIntentUnderHosts(_ key: String) throws {
        try BadSite(key, "V40", "put this into a profile", replacing: "form: hv", with: "▶\(key): x").check()
    }
}
