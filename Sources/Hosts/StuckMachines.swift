internal import Artifacts
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
    private let verdicts = Mutex(Verdicts())

    /// What was found of machines whose timelines are as they were: thousands are looked at, and few have changed.
    private struct Verdicts {
        /// What they depend on besides: another assignment or an arming changes what a machine should do.
        var site: Digest?
        var installations: UInt64 = 0
        /// The cause by when the machine was seen last; nil for one that will not be stuck however long it is silent.
        var byMachine: [MACAddress: (since: Int64, cause: String?)] = [:]
    }

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
        let machines = ledger.machines.filter { (0...Self.memory).contains(now - $0.lastSeen) }
        let stuck = verdicts.withLock { verdicts in
            let installations = ledger.markGeneration
            if verdicts.site != site.revision || verdicts.installations != installations {
                verdicts = Verdicts(site: site.revision, installations: installations)
            }
            var kept: [MACAddress: (since: Int64, cause: String?)] = [:]
            var stuck: [MACAddress: Machine] = [:]
            for machine in machines {
                let known = verdicts.byMachine[machine.mac].flatMap { $0.since == machine.lastSeen ? $0 : nil }
                let cause = known?.cause ?? (known == nil ? self.cause(machine, site, now) : nil)
                // Silent for longer than any step may take: time alone changes nothing any more.
                if cause != nil || now - machine.lastSeen > BootRecord.longestPatience {
                    kept[machine.mac] = (machine.lastSeen, cause)
                }
                if let cause {
                    stuck[machine.mac] = Machine(
                        mac: machine.mac, host: machine.host, since: machine.lastSeen, cause: cause)
                }
            }
            verdicts.byMachine = kept
            return stuck
        }
        let before = found.withLock { found in
            defer { found = stuck }
            return found
        }
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
