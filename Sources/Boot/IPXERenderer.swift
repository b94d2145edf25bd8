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
    private static let handover = ScriptTemplate(IPXEScripts.handover)

    /// iPXE's own variables, which name the machine in the question for its script.
    private static let question =
        "/\(BootPath.script)?mac=${netX/mac:hexhyp}&uuid=${uuid}&serial=${serial:uristring}"
        + "&hostname=${hostname:uristring}&arch=${buildarch}&platform=${platform}"

    /// The overlay's name below a machine's own URL for one boot.
    package static let overlayName = "overlay.cpio"

    /// Where signatures of the site's boot key are, each under the name of what it is over.
    package static let signaturesName = "signatures"
    /// What follows the name of an overlay for its signature.
    package static let signatureEnding = ".cms"

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
        switch plan.verifier {
        case .grub: return handover(plan, Self.chainGRUB(names))
        case .firmware: return handover(plan, try Self.chainImage(names, expansion, arguments))
        case .ipxe, nil: return script(plan, expansion, arguments)
        }
    }

    private func handover(_ plan: BootPlan, _ chain: String) -> String {
        Self.handover.filled([
            "HOST": plan.host, "PROFILE": plan.profile, "CHAIN": chain, "SCRIPT_URL": scriptURL,
        ])
    }

    private static func chainGRUB(_ names: BootNames) -> String {
        """
        iseq ${platform} efi && goto efi ||
        chain --autofree \(names.loader(GRUBPlatform.bios.loaderName)) || goto failed
        goto failed

        :efi
        chain --autofree \(names.loader(GRUBPlatform.uefi.loaderName)) || goto failed
        """
    }

    /// Without Secure Boot, systemd's stub takes iPXE's load options for the arguments, and they begin with the image's
    /// name (its `src/boot/efi/stub.c`): so that is one which Linux knows, and the arguments are said here, too.
    private static func chainImage(
        _ names: BootNames, _ expansion: ProfileExpansion, _ arguments: [String]
    ) throws(BootError) -> String {
        guard let mac = expansion.mac ?? expansion.host.primaryInterface?.mac else {
            throw BootError(message: "a machine without a MAC address has no image of its own")
        }
        let chain = ["chain --autofree --name BOOT_IMAGE=uki", names.kernelImage(mac)] + arguments
        return """
            iseq ${platform} efi || goto bios
            \(chain.joined(separator: " ")) || goto failed
            goto failed

            :bios
            echo Provisioner: UEFI firmware is to verify this profile, and this machine runs by BIOS
            """
    }

    private func script(_ plan: BootPlan, _ expansion: ProfileExpansion, _ words: [String]) -> String {
        var arguments = words
        // The EFI stub of kernels before 5.7 finds its initrds only by name (ipxe src/interface/efi/efi_file.c).
        var addresses = plan.initrds.map { (load: url($0), signature: signatureURL($0)) }
        // The last one wins where two have a file.
        if !plan.overlay.isEmpty {
            let overlay = names.perBoot(expansion.token) + "/" + Self.overlayName
            addresses.append((overlay, overlay + Self.signatureEnding))
        }
        arguments += addresses.indices.map { "initrd=initrd\($0)" }
        func verify(_ name: String, _ signature: String) -> String {
            plan.verifier == .ipxe ? "imgverify \(name) \(signature) || goto unverified\n" : ""
        }
        let initrds = addresses.enumerated().map { index, address in
            "initrd --name initrd\(index) \(address.load) || goto failed\n"
                + verify("initrd\(index)", address.signature)
        }
        return Self.plan.filled([
            "HOST": plan.host, "PROFILE": plan.profile, "BOOT": plan.frequency.rawValue,
            "KERNEL": ([url(plan.kernel)] + arguments).joined(separator: " "),
            "INITRDS": verify("linux", signatureURL(plan.kernel)) + initrds.joined(),
            "UNVERIFIED": plan.verifier == .ipxe ? Self.unverified : "",
            "SCRIPT_URL": scriptURL,
        ])
    }

    /// A loader that lacks the command ends here, too. Goes on as after any other failure.
    private static let unverified = """

        :unverified
        echo Provisioner: what was loaded is not signed by this site, or this iPXE has no imgverify

        """

    private func signatureURL(_ file: PlanFile) -> String {
        names.artifactsBase + "/" + Self.signaturesName + IPXEText.path(file.reference)
    }

    private func url(_ file: PlanFile) -> String { names.artifactsBase + IPXEText.path(file.reference) }

    private var scriptURL: String { names.scriptsBase + Self.question }
}
