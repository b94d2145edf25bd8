internal import ConfigurationFile

extension SiteReader {
    /// `authority`: a substrate's name or `policy` for each key.
    func readAuthority() -> (authorities: [Authority], policy: AuthorityPolicy) {
        guard let section = root.section("authority") else { return ([], AuthorityPolicy()) }
        let policy = section.section("policy").map(readPolicy) ?? AuthorityPolicy()
        let authorities: [Authority] = section.keys.compactMap { name, _ in
            guard name != "policy", let entry = section.named(name) else { return nil }
            defer { entry.finish() }
            let router = entry.section("router").flatMap(readRouter)
            let declared = entry.choice("declared", "V31", as: AuthorityMode.self)
            if !entry.has("declared") {
                diagnostics.report(
                    .error, "V31", at: entry.position,
                    "'\(entry.child("declared"))' is missing: say 'router' or 'provisioner'; there is no default")
            }
            return declared.map { Authority(substrate: name, declared: $0, router: router) }
        }
        return (authorities, policy)
    }

    private func readRouter(_ section: YAMLSection) -> Authority.Router? {
        defer { section.finish() }
        let kind = section.requiredString("kind", example: "opnsense")
        let host = section.string("host")
        let credentials = readSecret(section, "credentials")
        return kind.map { Authority.Router(kind: $0, host: host, credentials: credentials) }
    }

    private func readPolicy(_ section: YAMLSection) -> AuthorityPolicy {
        var policy = AuthorityPolicy()
        defer { section.finish() }
        policy.confirmWithin = duration(section, "confirm_within", in: 60...86_400) ?? policy.confirmWithin
        // dnsmasq accepts no lease shorter than two minutes.
        policy.rebuildLease = duration(section, "rebuild_lease", in: 120...604_800) ?? policy.rebuildLease
        for key in ["confirm_within", "require_unique_dhcp"] where section.has(key) {
            diagnostics.report(
                .info, "V90", path: section.child(key),
                "\(section.child(key)): it rules changes of authority, which this version leaves to the operator")
        }
        policy.requireUniqueDHCP = section.boolean("require_unique_dhcp") ?? true
        if section.isList("upstream_dns") {
            policy.upstreamDNS = section.strings("upstream_dns").compactMap { text, position in
                if let address = IPv4Address(text) { return address }
                diagnostics.report(.error, "V20", at: position, "'\(text)' is not an IPv4 address")
                return nil
            }
        } else if let text = section.string("upstream_dns"), text != "from-uplink" {
            section.fail("upstream_dns", "V01", "'\(text)' must be from-uplink or a list of addresses")
        }
        return policy
    }

    /// `90s`, `10m`, `2h`, `30d` in seconds.
    func duration(_ section: YAMLSection, _ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = section.string(key) else { return nil }
        let factors: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last, let factor = factors[unit], let count = Int(text.dropLast()),
            case let seconds = count.multipliedReportingOverflow(by: factor), !seconds.overflow,
            range.contains(seconds.partialValue)
        else {
            section.fail(
                key, "V01",
                "'\(text)' must be a duration such as 90s, 10m, 2h or 30d, from \(range.lowerBound)s to \(range.upperBound)s"
            )
            return nil
        }
        return seconds.partialValue
    }

    /// Secrets never stand in the site file: only where to find them (V60).
    func readSecret(_ section: YAMLSection, _ key: String) -> String? {
        guard let text = section.string(key) else { return nil }
        guard text.hasPrefix("secret:"), text.count > "secret:".count else {
            section.fail(key, "V60", "a secret must not stand in this file: write secret:NAME")
            return nil
        }
        return text
    }

    /// Out-of-band access is described for operators; this version checks its form and uses none of it.
    func readOutOfBand() {
        let _: [Never] = named("oob") { host, section in
            if let bmc = section.section("bmc") {
                _ = bmc.requiredString("interface", example: "ipmi")
                _ = bmc.requiredString("protocol", example: "redfish")
                _ = readSecret(bmc, "credentials")
                bmc.finish()
            }
            if let serial = section.section("serial") {
                _ = serial.requiredString("dev", example: "/dev/ttyS0")
                _ = serial.integer("baud", in: 50...4_000_000)
                _ = serial.string("via")
                serial.finish()
            }
            diagnostics.report(
                .info, "V90", at: section.position,
                "'\(section.path)' is checked and kept, but this version does not use it")
            return nil
        }
    }
}
