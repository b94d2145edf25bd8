internal import Artifacts
internal import ControlAPI
internal import Hosts
internal import ServerIdentity
internal import Site
internal import Store

/// Puts together how the server is.
struct StatusReport: Sendable {
    /// Machines in the list of last boots.
    static let bootLimit = 6

    let store: ArtifactStore
    let ledger: HostLedger
    let stuck: StuckMachines
    /// nil while no site file can be used.
    let site: (@Sendable () -> Site)?
    let siteProblems: [String]
    let authorities: AuthorityStates
    let identity: ServerIdentity?
    let clock: SteadyClock

    func make() -> ServerStatus {
        var status = ServerStatus(version: ProductVersion.current)
        status.time = clock.milliseconds()
        status.siteProblems = siteProblems
        if let site = site?() {
            status.siteRevision = site.revision.description
            status.authorities = authorities.list(for: site)
        }
        status.degraded = store.health.reason.map { "the disk failed: \($0.operation)" }
        status.fingerprint = identity?.fingerprint.description
        status.artifactCount = store.releases.tagCount
        if let space = try? SystemFileOperations().space(store.directory.path) {
            status.freeBytes = space.free
            status.totalBytes = space.total
        }
        status.stuckCount = stuck.all.count
        status.boots = ledger.newestMachines(Self.bootLimit).compactMap { machine in
            machine.events.last.map { event in
                ServerStatus.Boot(
                    machine: machine.host ?? machine.mac.description, kind: event.kind.rawValue, detail: event.detail,
                    time: event.time)
            }
        }
        return status
    }
}
