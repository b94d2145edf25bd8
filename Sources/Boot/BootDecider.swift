package import Artifacts
package import Site

/// The one decision about what a machine boots. Pure: the same request, site, artifacts and history give the same
/// answer, at every front door. An unknown machine is never installed.
package struct BootDecider: Sendable {
    /// Seconds after which a held machine asks again.
    package static let holdSeconds = 10

    package let site: Site
    package let releases: ReleaseIndex
    package let installations: any InstallationReading
    package let archives: any ArchiveLookup

    package init(
        site: Site, releases: ReleaseIndex, installations: any InstallationReading,
        archives: any ArchiveLookup = NoArchives()
    ) {
        self.site = site
        self.releases = releases
        self.installations = installations
        self.archives = archives
    }

    package func decide(_ request: BootRequest) -> BootDecision {
        var reasons: [String] = []
        let selection = HostSelector(site: site).select(request)
        let substrate = self.substrate(of: request, host: selection.host)
        reasons += selection.reasons
        func answer(_ outcome: BootDecision.Outcome, _ reason: String) -> BootDecision {
            BootDecision(
                host: selection.host?.name, substrate: substrate, outcome: outcome, reasons: reasons + [reason])
        }
        if let conflict = selection.conflict { return answer(.refuse, conflict) }
        guard let host = selection.host else {
            return answer(
                .localDisk, "it is not in the site file, so it boots its local disk: add it under hosts to install it")
        }
        guard let assignment = site.assignment(ofHost: host.name) else {
            return answer(.localDisk, "no profile is assigned to \(host.name), so it boots its local disk")
        }
        guard assignment.boot != .local, let profile = assignment.profile.flatMap({ site.profile($0) }) else {
            return answer(.localDisk, "\(host.name) is assigned 'boot: local'")
        }
        reasons.append("\(host.name) is assigned profile \(profile.name), boot: \(assignment.boot.rawValue)")
        if assignment.boot == .once, installations.isInstalled(host: host.name) {
            return answer(
                .localDisk,
                "\(host.name) has reported that it is installed: 'artifactctl host arm \(host.name)' installs it again")
        }
        return plan(profile, host, assignment, answer)
    }

    private func plan(
        _ profile: Profile, _ host: Host, _ assignment: Assignment,
        _ answer: (BootDecision.Outcome, String) -> BootDecision
    ) -> BootDecision {
        guard let kernel = profile.kernel else {
            return answer(.refuse, "profile \(profile.name) is a disk image, which this version cannot boot")
        }
        var missing: [String] = []
        func resolve(_ reference: FileReference) -> PlanFile? {
            guard let content = releases.content(reference, in: archives) else {
                if let withholding = releases.withholding(of: reference.artifact) {
                    let what = "\(reference.artifact): \(withholding.reason)"
                    if !missing.contains(what) { missing.append(what) }
                    return nil
                }
                let known = releases.release(reference.artifact) != nil
                var what =
                    known
                    ? "\(reference.artifact) has no file '\(reference.path)'" : "\(reference.artifact) is not published"
                if let archive = releases.archive(of: reference), let refusal = archives.refusal(of: archive.digest) {
                    what += ": the archive is not shown as a folder: \(refusal)"
                }
                if !missing.contains(what) { missing.append(what) }
                return nil
            }
            return PlanFile(reference: reference, file: content.file)
        }
        let kernelFile = resolve(kernel)
        let initrds = profile.initrds.compactMap(resolve)
        let answerFile = profile.answer.flatMap(resolve)
        let overlay = profile.overlay.compactMap { entry in
            resolve(entry.file).map { PlanOverlayEntry(entry: entry, file: $0.file) }
        }
        guard let kernelFile, missing.isEmpty else {
            return answer(
                .hold(seconds: Self.holdSeconds),
                "profile \(profile.name) cannot be served: \(missing.joined(separator: "; "))")
        }
        return answer(
            .boot(
                BootPlan(
                    host: host.name, profile: profile.name, frequency: assignment.boot, kernel: kernelFile,
                    initrds: initrds, overlay: overlay, verifier: profile.verifier,
                    arguments: profile.arguments.map(VariableTemplate.init),
                    answer: answerFile)),
            "every file of profile \(profile.name) is there")
    }

    /// The substrate that the request came from, by its address; else the one the host is plugged into.
    private func substrate(of request: BootRequest, host: Host?) -> String? {
        if let substrate = request.address.flatMap({ site.substrate(containing: $0) }) { return substrate.name }
        let interfaces = host?.interfaces ?? []
        let interface = interfaces.first { $0.mac == request.mac } ?? host?.primaryInterface
        return interface?.segment?.substrate ?? (site.substrates.count == 1 ? site.substrates.first?.name : nil)
    }
}
