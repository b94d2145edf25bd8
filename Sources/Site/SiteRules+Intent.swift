internal import Artifacts
internal import ConfigurationFile

/// The services whose names machines are told while they boot.
package enum BootService {
    /// Scripts and per-boot files.
    package static let scripts = "pxe"
    /// Files of artifacts.
    package static let artifacts = "artifacts"
    package static let all = [scripts, artifacts]
}

extension SiteRules {
    func checkServices() {
        for service in site.services {
            let path = "services.\(service.name)"
            let substrates = site.substrates.map(\.name)
            switch service.zone {
            case .management:
                if site.management.zone == nil, service.exposedIn.isEmpty {
                    fail("V12", "\(path).zone", "there is no management zone: add 'expose_in', or set management.zone")
                }
            case .substrate(let name):
                if site.substrate(name) == nil {
                    failUnknown("\(path).zone", name, in: "substrates", among: substrates + ["management"])
                }
            }
            for name in service.exposedIn where site.substrate(name) == nil {
                failUnknown("\(path).expose_in.\(name)", name, in: "substrates", among: substrates)
            }
            if case .host(let name) = service.provider {
                if site.host(name) == nil {
                    failUnknown("\(path).provider", name, in: "hosts", among: site.hosts.map(\.name) + ["authority"])
                }
            } else if service.zone == .management {
                fail("V42", "\(path).provider", "the management zone has no authority: name a host")
            }
        }
    }

    func checkIntent() {
        for profile in site.profiles {
            let path = "profiles.\(profile.name)"
            if !site.assignments.contains(where: { $0.profile == profile.name }) {
                diagnostics.report(.info, "V41", path: path, "\(path): parked: no host is assigned to it")
            }
            for (index, argument) in profile.arguments.enumerated() {
                checkArgument(argument, "\(path).args.\(index)", profile)
            }
        }
        for assignment in site.assignments {
            let path = "assignments.\(assignment.host)"
            let host = site.host(assignment.host)
            if host == nil { failUnknown(path, assignment.host, in: "hosts", among: site.hosts.map(\.name)) }
            guard let name = assignment.profile else { continue }
            guard let profile = site.profile(name) else {
                failUnknown("\(path).profile", name, in: "profiles", among: site.profiles.map(\.name))
                continue
            }
            if profile.image != nil {
                fail("V42", "\(path).profile", "this version cannot boot disk images: '\(name)' may only be parked")
            }
            if let host, assignment.boot != .local { checkBootable(host, path) }
        }
    }

    /// A machine is told names of the substrate it boots on, so those names must exist.
    private func checkBootable(_ host: Host, _ path: String) {
        // A host without interfaces is found by its UUID or serial number, wherever it asks from.
        let isPinned = host.interfaces.isEmpty && (host.uuid != nil || host.serial != nil)
        let names =
            isPinned ? Set(site.substrates.map(\.name)) : Set(host.interfaces.compactMap { $0.segment?.substrate })
        guard !names.isEmpty else {
            fail(
                "V42", path,
                "host '\(host.name)' has no interface on a segment, and neither UUID nor serial number to be found by")
            return
        }
        for name in names.sorted() {
            guard let view = SubstrateView(site: site, substrate: name, mode: .provisioner) else { continue }
            for service in BootService.all where view.serviceName(service) == nil {
                fail(
                    "V50", path,
                    "machines on '\(name)' are told names, never addresses, and service '\(service)' has none there: "
                        + "add 'services: {\(service): {zone: management, provider: HOST, expose_in: [\(name)]}}'")
            }
        }
    }

    private func checkArgument(_ argument: String, _ path: String, _ profile: Profile) {
        let scalars = argument.unicodeScalars
        if scalars.isEmpty || scalars.contains(where: \.properties.isWhitespace) {
            fail(
                "V50", path, "'\(argument)' must be one argument without white space: make each word its own list entry"
            )
        } else if scalars.contains(where: { $0.value < 32 || $0.value == 127 }) {
            fail("V50", path, "control characters are not allowed: remove them")
        } else if ["||", "&&", ";"].contains(argument) || scalars.first == "#" {
            fail("V50", path, "'\(argument)' can be told to no loader: it would end the command there")
        }
        let template = VariableTemplate(argument)
        if template.literals.contains(where: { $0.unicodeScalars.contains("${".unicodeScalars) }) {
            fail("V50", path, "'\(argument)' has a '${' that is not closed: add '}'")
        }
        for name in template.variables {
            guard let variable = ProfileVariable(name: name) else {
                fail(
                    "V50", path,
                    "unknown variable '${\(name)}': use service.NAME, host.name, host.fqdn, host.mac, boot.url or "
                        + "answer.url"
                )
                continue
            }
            switch variable {
            case .service(let service) where site.service(service) == nil:
                failUnknown(path, service, in: "services", among: site.services.map(\.name), code: "V50")
            case .answerURL where profile.answer == nil:
                diagnostics.report(
                    .warning, "V53", path: path,
                    "\(path): the profile has no 'answer: NAME:TAG/PATH', so ${answer.url} leads to nothing")
            default: break
            }
        }
        if let literal = template.literals.first(where: Self.holdsAddress) {
            fail(
                "V50", path,
                "'\(literal)' holds an IP address: use ${service.NAME}, so that it works wherever the service is")
        }
        if let zone = site.management.zone, template.literals.contains(where: { $0.contains(zone.description) }) {
            fail("V51", path, "consumers never name the management zone '\(zone)': use ${service.NAME}")
        }
        for literal in template.literals {
            if let host = Self.hostOfURL(in: literal), !host.isEmpty, !DomainName(host).isSome(within: site.rootDomain)
            {
                diagnostics.report(
                    .warning, "V52", path: path,
                    "\(path): '\(host)' is outside the site: an air-gapped machine cannot reach it")
            }
        }
    }

    /// Whether a word of the text is a dotted quad, or an IPv6 address in brackets (RFC 3986 section 3.2.2).
    static func holdsAddress(_ text: String) -> Bool {
        text.split(whereSeparator: { !($0.isNumber || $0 == ".") }).contains { IPv4Address($0) != nil }
            || text.split(separator: "[").dropFirst(text.first == "[" ? 0 : 1).contains { rest in
                let inner = rest.prefix { $0.isHexDigit || $0 == ":" || $0 == "." }
                return inner.count { $0 == ":" } >= 2 && rest[inner.endIndex...].first == "]"
            }
    }

    private static func hostOfURL(in text: String) -> Substring? {
        guard let mark = text.firstRange(of: "://") else { return nil }
        return text[mark.upperBound...].prefix { !"/:?#".contains($0) }
    }

    func checkAuthority() {
        for substrate in site.substrates
        where site.authority(of: substrate.name) == nil && !diagnostics.stands("authority.\(substrate.name)") {
            diagnostics.report(
                .error, "V31", path: "authority",
                "authority.\(substrate.name) is missing: add '\(substrate.name): {declared: router}' (or provisioner)")
        }
        for authority in site.authorities {
            let path = "authority.\(authority.substrate)"
            guard site.substrate(authority.substrate) != nil else {
                failUnknown(path, authority.substrate, in: "substrates", among: site.substrates.map(\.name))
                continue
            }
            checkProvisioner(of: authority, path)
            guard let name = authority.router?.host else { continue }
            guard let host = site.host(name) else {
                failUnknown("\(path).router.host", name, in: "hosts", among: site.hosts.map(\.name))
                continue
            }
            let leg = host.interfaces.first { $0.segment?.substrate == authority.substrate && $0.address == .gateway }
            if leg == nil {
                fail(
                    "V32", "\(path).router.host",
                    "no interface of '\(name)' on '\(authority.substrate)' has 'ip: gateway'")
            } else if leg?.addressInRebuild == nil {
                fail(
                    "V32", "\(path).router.host",
                    "'\(name)' needs 'ip_in_rebuild': in provisioner mode its gateway address is ours")
            }
        }
    }

    private func checkProvisioner(of authority: Authority, _ path: String) {
        guard authority.declared == .provisioner else { return }
        guard let view = SubstrateView(site: site, substrate: authority.substrate, mode: .provisioner) else { return }
        if view.provisioner == nil {
            fail(
                "V15", "\(path).declared",
                "no host of the management plane has an interface with 'claims_gateway: true' on "
                    + "'\(authority.substrate)'"
            )
        }
    }

    /// V12 and V14: what the file derives must be one consistent zone, in both modes.
    func checkDerivedNames() {
        guard !diagnostics.hasErrors else { return }
        for substrate in site.substrates {
            for mode in AuthorityMode.allCases {
                guard let view = SubstrateView(site: site, substrate: substrate.name, mode: mode) else { continue }
                for clash in view.nameClashes() {
                    fail("V12", "substrates.\(substrate.name)", "\(clash) (mode \(mode.rawValue))")
                }
            }
        }
    }
}

extension DomainName? {
    fileprivate func isSome(within zone: DomainName) -> Bool { self?.isWithin(zone) ?? false }
}
