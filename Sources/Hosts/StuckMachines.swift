internal import Boot
package import Site
internal import Synchronization

/// Machines that stopped half-way through a boot, looked for now and then. Each is known with the likely cause.
package final class StuckMachines: Sendable {
    package struct Machine: Hashable, Sendable {
        package let mac: MACAddress
        /// The host it is in the site file.
        package let host: String?
        /// When it was heard of last, in milliseconds since 1970.
        package let since: Int64
        package let cause: String
    }

    /// Milliseconds: what stopped longer ago was seen, and switched off, or was given up.
    package static let memory: Int64 = 86_400_000

    private let ledger: HostLedger
    private let found = Mutex<[MACAddress: Machine]>([:])

    package init(ledger: HostLedger) { self.ledger = ledger }

    /// Those of the last look, in the order of their MACs.
    package var all: [Machine] { found.withLock { $0.values.sorted { $0.mac < $1.mac } } }

    /// Why a machine goes no further, by the last look; nil where it does.
    package func cause(of mac: MACAddress) -> String? { found.withLock { $0[mac]?.cause } }

    /// Looks at all machines again.
    /// - Parameter site: says what each should do.
    /// - Returns: those that were not stuck at the last look, in the order of their MACs.
    package func look(_ site: Site) -> [Machine] {
        let now = ledger.now
        let before = found.withLock { $0 }
        var stuck: [MACAddress: Machine] = [:]
        for machine in ledger.machines where (0...Self.memory).contains(now - machine.lastSeen) {
            // Nothing came since, and it was explained.
            if let known = before[machine.mac], known.since == machine.lastSeen, known.host == machine.host {
                stuck[machine.mac] = known
            } else if let cause = cause(machine, site, now) {
                stuck[machine.mac] = Machine(
                    mac: machine.mac, host: machine.host, since: machine.lastSeen, cause: cause)
            }
        }
        found.withLock { $0 = stuck }
        return stuck.values.filter { before[$0.mac]?.since != $0.since }.sorted { $0.mac < $1.mac }
    }

    private func cause(_ machine: MachineRecord, _ site: Site, _ now: Int64) -> String? {
        let silence = now - machine.lastSeen
        guard silence > BootRecord.shortestPatience, let record = BootRecord(machine.events) else { return nil }
        let assignment = machine.host.flatMap { site.assignment(ofHost: $0) }
        let expectation = BootExpectation(
            assignment: assignment, isInstalled: machine.host.map(ledger.isInstalled) ?? false,
            events: machine.events)
        return record.cause(silence: silence, boots: expectation.boots, reports: expectation.reports)
    }
}

/// What a machine should come to.
package struct BootExpectation: Hashable, Sendable {
    /// It is given something to boot.
    package let boots: Bool
    /// It tells when it is installed.
    package let reports: Bool

    /// - Parameters:
    ///   - assignment: of its host; nil for a machine that is none.
    ///   - isInstalled: whether the host reported so.
    ///   - events: the machine's timeline.
    package init(assignment: Assignment?, isInstalled: Bool, events: [HostEvent]) {
        let state = HostState.derive(assignment: assignment, isInstalled: isInstalled, events: events)
        boots = [.armed, .booting, .up].contains(state)
        reports = boots && assignment?.boot == .once
    }
}
