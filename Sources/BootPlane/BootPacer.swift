internal import Artifacts
internal import Boot
internal import NIOCore
internal import Site
internal import Synchronization

/// Paces a boot storm: asks `AdmissionControl` where machines are told what to load. Loaders, scripts and answers are never
/// held, nor is anything for a machine that has no turn to wait for: an installer's packages, a person's download.
package final class BootPacer: Sendable {
    /// Plans of fewer bytes are not worth waiting for.
    private static let smallest: Int64 = 1 << 20

    private let control = Mutex(AdmissionControl())
    private let clock: @Sendable () -> Int64

    /// `clock`: milliseconds of a steady clock; nil: the system's.
    package init(clock: (@Sendable () -> Int64)? = nil) {
        self.clock = clock ?? { Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000) }
    }

    /// The same decision, or to wait where it is not the machine's turn.
    func paced(_ decision: BootDecision, at address: IPv4Address?, in site: Site) -> BootDecision {
        guard let turn = turn(decision, at: address, in: site) else { return decision }
        return decision.held(
            turn.seconds,
            "it waits for its turn: \(turn.budget.machines) machines of \(decision.substrate ?? "") load at once, by 'boot_budget'"
        )
    }

    /// Whether `paced` leaves a decision as it is.
    func admits(_ decision: BootDecision, at address: IPv4Address?, in site: Site) -> Bool {
        turn(decision, at: address, in: site) == nil
    }

    /// How long a machine has to wait, and by which budget; nil when it may load, or has nothing to load.
    private func turn(
        _ decision: BootDecision, at address: IPv4Address?, in site: Site
    ) -> (seconds: Int, budget: BootBudget)? {
        guard let address else { return nil }
        guard case .boot(let plan) = decision.outcome else {
            if decision.outcome == .localDisk { control.withLock { $0.left(address) } }
            return nil
        }
        let bytes = plan.initrds.reduce(plan.kernel.file.size) { $0 + $1.file.size }
        let substrate = decision.substrate ?? ""
        guard bytes >= Self.smallest, let budget = site.substrate(substrate)?.bootBudget else { return nil }
        let answer = control.withLock {
            $0.ask(address, substrate: substrate, bytes: bytes, budget: budget, now: clock())
        }
        guard case .wait(let seconds) = answer else { return nil }
        return (seconds, budget)
    }

    /// Seconds after which a machine may ask again for a file that it is not its turn to load; nil when it may now.
    func wait(for resource: BootResource, at address: IPv4Address?) -> Int? {
        guard let address, resource.size >= Self.smallest, case .file = resource.event else { return nil }
        return control.withLock { $0.wait(of: address) }
    }

    func transferBegan(_ address: IPv4Address?) {
        guard let address else { return }
        control.withLock { $0.transferBegan(address, now: clock()) }
    }

    func transferEnded(_ address: IPv4Address?) {
        guard let address else { return }
        control.withLock { $0.transferEnded(address, now: clock()) }
    }

    /// A file was sent whole.
    func sent(_ event: BootEvent, to address: IPv4Address, bytes: Int64) {
        guard case .file = event else { return }
        control.withLock { $0.loaded(address, bytes: bytes, now: clock()) }
    }
}
