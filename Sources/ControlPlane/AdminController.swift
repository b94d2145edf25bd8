internal import Artifacts
internal import ControlAPI
internal import HTTPTypes
internal import Hosts
internal import Hummingbird
internal import Logging
internal import Site
internal import Store

/// The routes below `/api/v1/`.
struct AdminController {
    let services: ControlServices
    let caller: Caller

    /// How the server is; what it says of machines and of the site is for administrators.
    func status() -> ServerStatus {
        var status = services.status()
        guard !caller.may(.admin, nil) else { return status }
        status.boots = []
        status.siteProblems = status.siteProblems.isEmpty ? [] : ["the site file cannot be used"]
        status.authorities = []
        return status
    }

    private static let artifactPage = 1000

    /// A page of those that the caller may pull, in order of name and tag: `?name=NAME` for one artifact's, `?n=N` for the
    /// size of the page; `Link` names the next.
    func artifacts(_ request: Request) throws -> Response {
        let query = request.uri.queryParameters
        let name = try query["name"].map { try ArtifactName(String($0)) }
        let limit = query["n"].flatMap { Int($0) }.map { max(1, min($0, Self.artifactPage)) } ?? Self.artifactPage
        let last = query["last"].flatMap { text -> (name: String, tag: String)? in
            guard let colon = text.lastIndex(of: ":") else { return nil }
            return (String(text[..<colon]), String(text[text.index(after: colon)...]))
        }
        let releases = services.store.releases
        // What the caller may not pull is passed over, also as a place to go on from.
        var found: [TaggedArtifact] = []
        var place = last
        while found.count <= limit {
            let tags = try services.store.taggedArtifacts(of: name, after: place, limit: max(limit, 100) + 1)
            guard let end = tags.last else { break }
            found += tags.filter { caller.may(.pull, $0.name) }
            place = (end.name.description, end.tag.description)
        }
        let page = found.prefix(limit)
        let list = page.map { artifact in
            let release = releases.release(Reference(name: artifact.name, version: .tag(artifact.tag)))
            return ArtifactSummary(
                name: artifact.name.description, tag: artifact.tag.description, digest: artifact.digest,
                publishedAt: artifact.publishedAt, fileCount: release?.files.count ?? 0,
                size: release?.files.totalSize ?? 0,
                isChannel: artifact.isChannel)
        }
        var headers = HTTPFields()
        if found.count > page.count, let end = page.last {
            let filter = name.map { "&name=\($0)" } ?? ""
            let next = "\(ControlPath.artifacts)?n=\(limit)&last=\(end.name):\(end.tag)\(filter)"
            headers = HTTPFields(fields: [("Link", "<\(next)>; rel=\"next\"")])
        }
        return try .json(list, headers: headers)
    }

    /// A page of the audit log: `?after=SEQUENCE&limit=N`, or its newest entries with `?newest=N`.
    func audit(_ request: Request) throws -> Response {
        try caller.require(.admin, nil)
        let query = request.uri.queryParameters
        func number(_ name: String) throws -> Int64? {
            guard let text = query[Substring(name)] else { return nil }
            guard let value = Int64(text), value >= 0 else {
                throw ControlError(.badRequest, "QUERY_INVALID", "\(name): '\(text)' must be a whole number from 0")
            }
            return value
        }
        let limit = Int(min(try number("limit") ?? Self.auditPage, Self.auditPage))
        if let newest = try number("newest") {
            return try .json(try services.store.newestAuditEntries(Int(min(newest, Self.auditPage))))
        }
        return try .json(try services.store.auditEntries(after: try number("after") ?? 0, limit: limit))
    }

    private static let auditPage: Int64 = 1000

    func hosts() throws -> Response {
        try caller.require(.admin, nil)
        let site = services.site()
        let machines = services.ledger.machines
        let known = site.hosts.map { report($0, site, machines, isListed: true) }
        let discovered = machines.filter { machine in
            !site.hosts.contains { host in
                host.interfaces.contains { $0.mac == machine.mac }
                    || (host.interfaces.isEmpty && host.name == machine.host)
            }
        }.map { report($0, isListed: true) }
        return try .json(
            (known + discovered).map { report in
                var report = report
                report.events = nil
                return report
            })
    }

    /// A host by its name, or any machine by a MAC.
    func host(_ key: String) throws -> Response {
        try caller.require(.admin, nil)
        let site = services.site()
        let machines = services.ledger.machines
        let mac = MACAddress(key)
        if let host = site.hosts.first(where: { host in
            host.name == key || host.interfaces.contains { $0.mac == mac }
        }) {
            return try .json(report(host, site, machines))
        }
        guard let machine = machines.first(where: { $0.mac == mac }) else { throw unknown(key) }
        return try .json(report(machine))
    }

    /// A host by its name or the MAC of one of its interfaces.
    func arm(_ key: String) throws -> Response {
        try caller.require(.admin, nil)
        let site = services.site()
        let mac = MACAddress(key)
        let named = site.hosts.first { host in
            host.name == key || (mac != nil && host.interfaces.contains { $0.mac == mac })
        }
        guard let host = named else { throw unknown(key) }
        guard let assignment = site.assignment(ofHost: host.name), assignment.boot != .local else {
            throw ControlError(
                .conflict, "DENIED",
                "\(host.name) boots its disk by assignment, so arming changes nothing: assign it a profile in the site file"
            )
        }
        // First: an installation that nobody can be asked about would be worse than an entry too many.
        try services.store.note("arm host", host.name, by: caller.name)
        try services.ledger.arm(host: host.name)
        services.logger.notice(
            "host \(host.name) is armed: it is given \(assignment.profile ?? "its profile") at the next boot")
        return try .json(report(host, site, services.ledger.machines))
    }

    private func unknown(_ key: String) -> HostsError {
        HostsError(.unknownHost, "there is no host or machine '\(key)': 'artifactctl host ls' lists them")
    }

    /// In a list, without what takes long to work out for thousands.
    private func report(
        _ host: Host, _ site: Site, _ machines: [MachineRecord], isListed: Bool = false
    ) -> HostReport {
        let macs = host.interfaces.map(\.mac)
        // A host without interfaces is known by what it pins: its machine is the one that was taken for it.
        let seen = machines.filter { macs.contains($0.mac) || (macs.isEmpty && $0.host == host.name) }
        let events = seen.flatMap(\.events).sorted { $0.time < $1.time }
        let newest = seen.max { $0.lastSeen < $1.lastSeen }
        let assignment = site.assignment(ofHost: host.name)
        var state = HostState.derive(
            assignment: assignment, isInstalled: services.ledger.isInstalled(host: host.name), events: events)
        if seen.isEmpty, state == .armed, services.ledger.armedAt(host: host.name) == nil { state = .expected }
        var report = newest.map { self.report($0, isListed: true) } ?? HostReport(macs: [], state: "")
        report.name = host.name
        report.macs = macs.map(\.description)
        report.state = state.rawValue
        report.profile = assignment?.profile
        report.boot = assignment?.boot.rawValue
        report.events = events.map(Self.event)
        report.stuck = seen.lazy.compactMap { services.stuck.cause(of: $0.mac) }.first
        if !isListed {
            let expectation = BootExpectation(
                assignment: assignment, isInstalled: services.ledger.isInstalled(host: host.name), events: events)
            report.lastBoot = lastBoot(
                events, lastSeen: newest?.lastSeen, boots: expectation.boots, reports: expectation.reports)
        }
        return report
    }

    private func lastBoot(
        _ events: [HostEvent], lastSeen: Int64?, boots: Bool, reports: Bool
    ) -> HostReport.Boot? {
        guard let record = BootRecord(events), let lastSeen else { return nil }
        return HostReport.Boot(
            started: record.started,
            steps: record.steps.map {
                HostReport.Boot.Step(
                    phase: $0.phase.rawValue, milliseconds: $0.milliseconds, count: $0.count, bytes: $0.bytes)
            }, failures: record.failures,
            cause: record.cause(silence: services.ledger.now - lastSeen, boots: boots, reports: reports))
    }

    private func report(_ machine: MachineRecord, isListed: Bool = false) -> HostReport {
        var report = HostReport(macs: [machine.mac.description], state: HostState.discovered.rawValue)
        report.address = machine.address?.description
        report.uuid = machine.uuid
        report.serial = machine.serial
        report.architecture = machine.architecture
        report.platform = machine.platform
        report.lastSeen = machine.lastSeen
        report.stuck = services.stuck.cause(of: machine.mac)
        report.events = machine.events.map(Self.event)
        if !isListed {
            report.lastBoot = lastBoot(machine.events, lastSeen: machine.lastSeen, boots: false, reports: false)
        }
        return report
    }

    private static func event(_ event: HostEvent) -> HostReport.Event {
        HostReport.Event(time: event.time, kind: event.kind.rawValue, detail: event.detail, bytes: event.bytes)
    }
}
