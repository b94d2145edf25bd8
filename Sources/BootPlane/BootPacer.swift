internal import Artifacts
package import Boot
internal import NIOCore
internal import Site
internal import Synchronization

/// Paces a boot storm: asks `AdmissionControl` where machines are told what to load. Loaders, scripts and answers are never
/// held, nor is anything for a machine that has no turn to wait for: an installer's packages, a person's download.
package final class BootPacer: Sendable {
    /// Plans of fewer bytes are not worth waiting for.
    fileprivate static let smallest: Int64 = 1 << 20

    private let control = Mutex(AdmissionControl())
    private let clock: @Sendable () -> Int64

    /// `clock`: milliseconds of a steady clock; nil: the system's.
    package init(clock: (@Sendable () -> Int64)? = nil) {
        self.clock = clock ?? { Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000) }
    }

    /// The same decision, or to wait where it is not the machine's turn.
    /// - Parameters:
    ///   - decision: what was decided.
    ///   - load: what the machine loads by it.
    ///   - address: the machine's.
    /// - Returns: what it is told.
    func paced(_ decision: BootDecision, _ load: Load?, at address: IPv4Address?) -> BootDecision {
        guard let address else { return decision }
        if decision.outcome == .localDisk { control.withLock { $0.left(address) } }
        guard let load, case .wait(let seconds) = ask(load, address) else { return decision }
        return decision.held(
            seconds,
            "it waits for its turn: \(load.budget.machines) machines of \(load.substrate) load at once, by 'boot_budget'"
        )
    }

    /// What a machine loads in its turn.
    struct Load: Sendable {
        let substrate: String
        let bytes: Int64
        let budget: BootBudget

        /// nil where nothing is to be loaded that has to wait for its turn.
        init?(_ decision: BootDecision, in site: Site) {
            guard case .boot(let plan) = decision.outcome else { return nil }
            substrate = decision.substrate ?? ""
            bytes = plan.initrds.reduce(plan.kernel.file.size) { $0 + $1.file.size }
            guard bytes >= BootPacer.smallest, let budget = site.substrate(substrate)?.bootBudget else { return nil }
            self.budget = budget
        }
    }

    /// Whether a machine may load now what it loaded before.
    func admits(_ load: Load?, at address: IPv4Address?) -> Bool {
        guard let load, let address else { return true }
        return ask(load, address) == .admitted
    }

    private func ask(_ load: Load, _ address: IPv4Address) -> AdmissionControl.Answer {
        control.withLock {
            $0.ask(address, substrate: load.substrate, bytes: load.bytes, budget: load.budget, now: clock())
        }
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

    /// A machine loads its image by firmware, which cannot be told to wait.
    func takesPlace(_ decision: BootDecision, at address: IPv4Address?, bytes: Int64, in site: Site) {
        guard let address, bytes >= Self.smallest, let substrate = decision.substrate,
            site.substrate(substrate)?.bootBudget != nil
        else { return }
        control.withLock { $0.take(address, substrate: substrate, bytes: bytes, now: clock()) }
    }

    /// How many machines load and wait, by substrate.
    package var queues: [BootQueue] { control.withLock { $0.queues(now: clock()) } }

    /// A file was sent whole. An answer to a question for a script is one where it is an image.
    func sent(_ event: BootEvent, to address: IPv4Address, bytes: Int64) {
        switch event {
        case .file: break
        case .script where bytes >= Self.smallest: break
        default: return
        }
        control.withLock { $0.loaded(address, bytes: bytes, now: clock()) }
    }
}
