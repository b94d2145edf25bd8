internal import Artifacts
internal import ConfigurationFile

/// Turns the file's mappings into values: form only. What values mean together is for `SiteRules`.
struct SiteReader {
    let root: YAMLSection
    let revision: Digest
    var diagnostics: DiagnosticCollector { root.diagnostics }

    /// nil when what every site needs is missing.
    func read() -> Site? {
        let schema = root.requiredString("schema", example: Site.schema)
        if let schema, schema != Site.schema {
            root.fail("schema", "V01", "'\(schema)' is not known: this version reads '\(Site.schema)'")
        }
        let rootDomain = root.requiredString("root_domain", "V02", example: "example.net")
            .flatMap { domain($0, root, "root_domain") }
        let management = readManagement()
        let (authorities, policy) = readAuthority()
        let trust = readTrust()
        let site = rootDomain.map { rootDomain in
            Site(
                revision: revision, rootDomain: rootDomain, management: management,
                substrates: named("substrates") { readSubstrate($0, $1) },
                hosts: named("hosts") { readHost($0, $1) },
                services: named("services") { readService($0, $1) },
                profiles: named("profiles") { readProfile($0, $1) },
                assignments: named("assignments") { readAssignment($0, $1) },
                authorities: authorities, policy: policy, trust: trust)
        }
        if site == nil {
            for key in ["substrates", "hosts", "services", "profiles", "assignments"] { root.ignore(key) }
        }
        readOutOfBand()
        root.finish()
        return schema == Site.schema ? site : nil
    }

    /// Reads a mapping whose keys are names (V02), each value by `body`; keeps the file's order.
    func named<Value>(
        _ key: String, in section: YAMLSection? = nil, _ body: (String, YAMLSection) -> Value?
    ) -> [Value] {
        guard let section = (section ?? root).section(key) else { return [] }
        return section.keys.compactMap { name, position in
            guard DomainName.isLabel(name) else {
                diagnostics.report(
                    .error, "V02", at: position,
                    "'\(section.child(name))': names are 1 to 63 lower-case letters, digits and inner dashes")
                return nil
            }
            guard let child = section.named(name) else { return nil }
            let value = body(name, child)
            child.finish()
            return value
        }
    }

    func domain(_ text: String, _ section: YAMLSection, _ key: String) -> DomainName? {
        guard let name = DomainName(text) else {
            section.fail(
                key, "V02",
                "'\(text)' is not a domain name: lower-case labels of letters, digits and dashes, joined by dots")
            return nil
        }
        return name
    }

    private func readManagement() -> Management {
        guard let section = root.section("management") else { return Management(zone: nil, ttl: 60) }
        let zone = section.string("zone").flatMap { domain($0, section, "zone") }
        let ttl = section.integer("ttl", in: 1...86400) ?? 60
        section.finish()
        return Management(zone: zone, ttl: ttl)
    }

    private func readSubstrate(_ name: String, _ section: YAMLSection) -> Substrate? {
        let zone = section.requiredString("zone", "V02", example: "\(name).example.net")
            .flatMap { domain($0, section, "zone") }
        let cidr = section.string("cidr").flatMap { network($0, section, "cidr") }
        let segments = named("segments", in: section) { readSegment($0, $1) }
        var budget = BootBudget()
        if let entry = section.section("boot_budget") {
            budget.machines = entry.integer("machines", in: 1...100_000) ?? budget.machines
            budget.bytes = entry.integer("megabytes", in: 1...100_000_000).map { Int64($0) << 20 } ?? budget.bytes
            entry.finish()
        }
        return zone.map {
            Substrate(name: name, zone: $0, cidr: cidr, segments: segments, bootBudget: budget)
        }
    }

    private func readSegment(_ name: String, _ section: YAMLSection) -> Segment? {
        let vlan = section.integer("vlan", in: 1...4094)
        let subnet = section.string("subnet").flatMap { network($0, section, "subnet") }
        let gateway = section.string("gateway").flatMap { address($0, section, "gateway") }
        var pool: AddressPool?
        if let poolSection = section.section("pool") {
            let ends = poolSection.strings("range").compactMap { text, position in
                IPv4Address(text)
                    ?? {
                        diagnostics.report(.error, "V21", at: position, "'\(text)' is not an IPv4 address")
                        return nil
                    }()
            }
            let onlyIn = poolSection.choice("only_in", "V21", as: AuthorityMode.self)
            if ends.count == 2 {
                pool = AddressPool(first: ends[0], last: ends[1], onlyIn: onlyIn)
            } else if !poolSection.has("range") || ends.count != poolSection.strings("range").count {
                if !poolSection.has("range") {
                    diagnostics.report(
                        .error, "V21", at: poolSection.position,
                        "'\(poolSection.child("range"))' is missing: write range: [first, last]")
                }
            } else {
                poolSection.fail("range", "V21", "two addresses are expected: [first, last]")
            }
            poolSection.finish()
        }
        return Segment(name: name, vlan: vlan, subnet: subnet, gateway: gateway, pool: pool)
    }

    func network(_ text: String, _ section: YAMLSection, _ key: String) -> IPv4Network? {
        guard let network = IPv4Network(text) else {
            section.fail(
                key, "V20", "'\(text)' is not an IPv4 network: write it as 10.20.99.0/24, with no host bit set")
            return nil
        }
        return network
    }

    func address(_ text: String, _ section: YAMLSection, _ key: String) -> IPv4Address? {
        guard let address = IPv4Address(text) else {
            section.fail(key, "V20", "'\(text)' is not an IPv4 address")
            return nil
        }
        return address
    }
}
