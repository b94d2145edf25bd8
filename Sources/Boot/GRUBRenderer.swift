internal import IPXEScripts
internal import Site

/// Writes decisions as configurations for the GRUB that this server makes, from the templates in `ipxe/`. GRUB 2.06 loads
/// nothing of it that is not signed, and a configuration must not go on after what it could not load.
package struct GRUBRenderer: Sendable {
    private static let first = ScriptTemplate(GRUBScripts.first)
    private static let plan = ScriptTemplate(GRUBScripts.plan)
    private static let local = ScriptTemplate(GRUBScripts.local)
    private static let hold = ScriptTemplate(GRUBScripts.hold)
    private static let refuse = ScriptTemplate(GRUBScripts.refuse)

    /// GRUB's device for this server: whoever answered its DHCP request as the next server.
    private let server: String

    /// - Parameter port: where machines reach the HTTP listener.
    package init(port: Int) { server = "(http,$site_server\(port == 80 ? "" : ":\(port)"))" }

    /// What a GRUB image has inside: it asks for the machine's configuration for ever.
    package func firstConfiguration() -> String {
        Self.first.filled(["CONFIGURATION": "\(server)/\(BootPath.grubConfiguration("$site_mac"))"])
    }

    /// The configuration for a decision.
    /// - Parameters:
    ///   - decision: of the machine that asks.
    ///   - expansion: the plan's variables, needed when the decision is to boot.
    /// - Returns: the text.
    /// - Throws: `BootError` when an argument cannot be said by GRUB.
    package func configuration(
        _ decision: BootDecision, expansion: ProfileExpansion?
    ) throws(BootError) -> String {
        let reason = GRUBText.message("Provisioner: \(decision.reason)")
        switch decision.outcome {
        case .boot(let plan):
            guard let expansion else { throw BootError(message: "a plan cannot be rendered without its host") }
            return try configuration(plan, expansion)
        case .localDisk: return Self.local.filled(["REASON": reason])
        case .hold(let seconds): return Self.hold.filled(["REASON": reason, "SECONDS": String(seconds)])
        case .refuse:
            // As for iPXE: an impostor is not told what was expected.
            return refusal("this machine contradicts what the site file says of \(decision.host ?? "it")")
        }
    }

    /// The configuration that says why nothing is booted.
    package func refusal(_ reason: String) -> String {
        Self.refuse.filled(["REASON": GRUBText.message("Provisioner: refused: \(reason)")])
    }

    private func configuration(_ plan: BootPlan, _ expansion: ProfileExpansion) throws(BootError) -> String {
        guard plan.verifier == .grub else {
            let who = plan.verifier.map { "'\($0.rawValue)'" } ?? "nobody"
            throw BootError(
                message: "profile \(plan.profile) is verified by \(who): give it 'verify: grub' to boot by GRUB")
        }
        var kernel = [path(plan.kernel)]
        for (index, template) in plan.arguments.enumerated() {
            guard let word = GRUBText.argument(expansion.expand(template)) else {
                throw BootError(
                    message:
                        "argument \(index + 1) of profile \(plan.profile) cannot be said by GRUB to Linux: no quotes, "
                        + "backslashes and spaces")
            }
            kernel.append(word)
        }
        var initrds = plan.initrds.map(path)
        // The last one wins where two have a file.
        if !plan.overlay.isEmpty {
            initrds.append("\(server)/hosts/\(expansion.token)/\(IPXERenderer.overlayName)")
        }
        return Self.plan.filled([
            "HOST": plan.host, "PROFILE": plan.profile, "BOOT": plan.frequency.rawValue,
            "MESSAGE": GRUBText.message("Provisioner: \(plan.host) boots \(plan.profile)"),
            "KERNEL": kernel.joined(separator: " "),
            "INITRDS": initrds.isEmpty ? "true" : "initrd \(initrds.joined(separator: " "))",
            "FAILURE": GRUBText.message(
                "Provisioner: not booted: a file of \(plan.profile) could not be loaded, or is not signed by this site"),
        ])
    }

    private func path(_ file: PlanFile) -> String {
        "\(server)/\(BootPath.grub)/\(BootPath.grubFiles)\(IPXEText.path(file.reference))"
    }
}
