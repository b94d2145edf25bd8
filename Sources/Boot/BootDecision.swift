internal import Site

/// What a machine gets, with the reasons in the order they were found: the answer of every front door.
package struct BootDecision: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        case boot(BootPlan)
        case localDisk
        /// Ask again after so many seconds.
        case hold(seconds: Int)
        /// The request contradicts the site file; nothing is booted from here.
        case refuse
    }

    /// The host's name in the site file; nil for an unknown machine.
    package let host: String?
    /// The substrate whose names the answer uses; nil when the request fits none.
    package let substrate: String?
    package let outcome: Outcome
    /// For people: why. The last one is the deciding one.
    package let reasons: [String]
    /// What was decided and why, in a line for a timeline.
    package let summary: String

    package init(host: String?, substrate: String?, outcome: Outcome, reasons: [String]) {
        summary =
            switch outcome {
            case .boot(let plan): "boot \(plan.profile) (\(plan.frequency.rawValue))"
            case .localDisk: "local disk: \(reasons.last ?? "")"
            case .hold, .refuse: reasons.last ?? ""
            }
        self.host = host
        self.substrate = substrate
        self.outcome = outcome
        self.reasons = reasons
    }

    /// The same machine, refused after all.
    package func refused(_ reason: String) -> BootDecision {
        BootDecision(host: host, substrate: substrate, outcome: .refuse, reasons: reasons + [reason])
    }

    /// The same machine, told to ask again.
    package func held(_ seconds: Int, _ reason: String) -> BootDecision {
        BootDecision(host: host, substrate: substrate, outcome: .hold(seconds: seconds), reasons: reasons + [reason])
    }

    /// The deciding reason.
    package var reason: String { reasons.last ?? "" }
}

/// What happened to a host before, as far as a decision depends on it.
package protocol InstallationReading: Sendable {
    /// Whether the host reported that it is installed and nobody armed it since. Answers from memory.
    func isInstalled(host: String) -> Bool
}

/// For explaining a site without any history.
package struct NoInstallations: InstallationReading {
    package init() {}
    package func isInstalled(host: String) -> Bool { false }
}
