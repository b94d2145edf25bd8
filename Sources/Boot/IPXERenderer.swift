internal import IPXEScripts
internal import Site

/// A plan that cannot be written down for a loader.
package struct BootError: Error, Equatable, Sendable, CustomStringConvertible {
    package let message: String
    package var description: String { message }
}

/// Writes decisions as iPXE scripts, from the templates in `ipxe/`. Only commands that stock builds have (Debian's of
/// 2019 among them) are used.
package struct IPXERenderer: Sendable {
    private static let stage1 = ScriptTemplate(IPXEScripts.stage1)
    private static let plan = ScriptTemplate(IPXEScripts.plan)
    private static let local = ScriptTemplate(IPXEScripts.local)
    private static let hold = ScriptTemplate(IPXEScripts.hold)
    private static let refuse = ScriptTemplate(IPXEScripts.refuse)

    /// iPXE's own variables, which name the machine in the question for its script.
    private static let question =
        "/ipxe/script?mac=${netX/mac:hexhyp}&uuid=${uuid}&serial=${serial:uristring}"
        + "&hostname=${hostname:uristring}&arch=${buildarch}&platform=${platform}"

    /// The overlay's name below a machine's own URL for one boot.
    package static let overlayName = "overlay.cpio"

    package let names: BootNames

    package init(names: BootNames) { self.names = names }

    /// Stage 1: makes any iPXE ask for its machine's own script.
    package func stage1Script() -> String { Self.stage1.filled(["SCRIPT_URL": scriptURL]) }

    /// The script for a decision. `expansion` has the plan's variables: it is needed when the decision is to boot.
    /// - Throws: `BootError` when an argument cannot be written in an iPXE script.
    package func script(_ decision: BootDecision, expansion: ProfileExpansion?) throws(BootError) -> String {
        let reason = IPXEText.message(decision.reason)
        switch decision.outcome {
        case .boot(let plan):
            guard let expansion else { throw BootError(message: "a plan cannot be rendered without its host") }
            return try script(plan, expansion)
        case .localDisk: return Self.local.filled(["REASON": reason])
        case .hold(let seconds):
            return Self.hold.filled(["REASON": reason, "SECONDS": String(seconds), "SCRIPT_URL": scriptURL])
        case .refuse:
            // What was expected is for operators: told to the machine, an impostor would know what to say next time.
            return refusal("this machine contradicts what the site file says of \(decision.host ?? "it")")
        }
    }

    /// The script that says why nothing is booted and lets the firmware go on.
    package func refusal(_ reason: String) -> String { Self.refuse.filled(["REASON": IPXEText.message(reason)]) }

    private func script(_ plan: BootPlan, _ expansion: ProfileExpansion) throws(BootError) -> String {
        var arguments: [String] = []
        for (index, template) in plan.arguments.enumerated() {
            let argument = expansion.expand(template)
            guard let word = IPXEText.word(argument) else {
                throw BootError(
                    message: "argument \(index + 1) of profile \(plan.profile) cannot be written in an iPXE script")
            }
            arguments.append(word)
        }
        // The EFI stub of kernels before 5.7 finds its initrds only by name (ipxe src/interface/efi/efi_file.c).
        var addresses = plan.initrds.map(url)
        // The last one wins where two have a file.
        if !plan.overlay.isEmpty { addresses.append(names.perBoot(expansion.token) + "/" + Self.overlayName) }
        arguments += addresses.indices.map { "initrd=initrd\($0)" }
        let initrds = addresses.enumerated().map { index, address in
            "initrd --name initrd\(index) \(address) || goto failed\n"
        }
        return Self.plan.filled([
            "HOST": plan.host, "PROFILE": plan.profile, "BOOT": plan.frequency.rawValue,
            "KERNEL": ([url(plan.kernel)] + arguments).joined(separator: " "), "INITRDS": initrds.joined(),
            "SCRIPT_URL": scriptURL,
        ])
    }

    private func url(_ file: PlanFile) -> String { names.artifactsBase + IPXEText.path(file.reference) }

    private var scriptURL: String { names.scriptsBase + Self.question }
}
