import Foundation
import TestSupport

/// `make demo`: one BIOS and one UEFI machine with empty disks boot Debian's installer from a provisioner, in a network
/// namespace that is gone afterwards.
@main
struct Demo {
    static let installer = "debian-installer:12"
    static let timeLimit = Duration.seconds(900)

    struct Candidate {
        let machine: SiteFixture.Machine
        let firmware: Firmware
        let title: String
    }

    static let candidates = [
        Candidate(
            machine: .init(
                name: "hv01", mac: "52:54:00:20:99:21", address: "10.20.99.21",
                assignment: "{profile: debian-installer, boot: once}"), firmware: .bios, title: "BIOS machine"),
        Candidate(
            machine: .init(
                name: "hv02", mac: "52:54:00:20:99:22", address: "10.20.99.22",
                assignment: "{profile: debian-installer, boot: once}"), firmware: .uefi, title: "UEFI machine"),
    ]

    static func main() async {
        do {
            try Requirement.demand(
                ProvisionerServer.requirements + DebianInstaller.requirements + Firmware.bios.requirements
                    + Firmware.uefi.requirements)
            try await NetworkLab.with { lab in try await show(lab) }
            say("done: both machines are up, and nothing is left running")
        } catch {
            say("FAILED: \(error)")
            exit(1)
        }
    }

    static func say(_ text: String) {
        print(text)
        fflush(nil)
    }

    static func show(_ lab: NetworkLab) async throws {
        let site = SiteFixture(
            machines: candidates.map(\.machine),
            profiles: [
                "debian-installer:",
                "  kernel: \"\(installer)/linux\"",
                "  initrd: [\"\(installer)/initrd.gz\"]",
                "  args: [auto=true, priority=critical, \"url=${answer.url}\", console=ttyS0]",
                "  answer: \"answers:1/preseed.cfg\"",
            ])
        say("==> starting the provisioner in network namespace \(lab.name)")
        let server = try await ProvisionerServer.start(in: lab, site: site.yaml)
        say("==> pushing Debian's installer and an answer file")
        let preseed = lab.directory.appending(path: "preseed.cfg")
        try Data("d-i preseed/early_command string wget -O /dev/null ${boot.url}/up; poweroff -f\n".utf8).write(
            to: preseed)
        for arguments in [
            ["push", installer, DebianInstaller.kernel.path, DebianInstaller.initrd.path],
            ["push", "answers:1", preseed.path],
        ] {
            let result = try await server.artifactctlResult(arguments)
            guard result.succeeded else { throw TestSupportError(.commandFailed, result.standardError) }
            say(result.output.indented)
        }
        say(try await server.artifactctl("ls").output.indented)
        say("==> switching on one BIOS and one UEFI machine with empty disks")
        say("    (software emulation: each takes about two minutes to reach the installer)")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for candidate in candidates {
                group.addTask { try await boot(candidate, lab, server) }
            }
            try await group.waitForAll()
        }
        for candidate in candidates {
            say(
                "\n==> \(candidate.title)\n"
                    + (try await server.artifactctl("host", "show", candidate.machine.name).output.indented))
        }
        say("")
        say(try await server.artifactctl("host", "ls").output.indented)
        say("==> stopping the provisioner")
        await server.program.stop()
    }

    /// Boots a machine and tells each step as it comes, until its installer reports.
    static func boot(_ candidate: Candidate, _ lab: NetworkLab, _ server: ProvisionerServer) async throws {
        let name = candidate.machine.name
        let machine = try await lab.boot(
            .init(name: name, mac: candidate.machine.mac, firmware: candidate.firmware, memory: 1024))
        let started = ContinuousClock.now
        var told = 0
        var lastWord = started
        while true {
            let status = try? await server.host(name)
            for event in (status?.events ?? []).dropFirst(told) {
                let seconds = (ContinuousClock.now - started).components.seconds
                say("    \(candidate.title), \(seconds) s: \(event.kind) \(event.detail)")
                told += 1
                lastWord = .now
            }
            if status?.events.contains(where: { $0.kind == "up" }) == true {
                try await requireSteps(candidate, status)
                return
            }
            if ContinuousClock.now - lastWord > .seconds(20) {
                lastWord = .now
                let seconds = (ContinuousClock.now - started).components.seconds
                say("    \(candidate.title), \(seconds) s: waiting for \(waitingFor(status)) ...")
            }
            guard ContinuousClock.now - started < timeLimit, !machine.hasExited else {
                throw TestSupportError(
                    .timedOut, "\(candidate.title) did not come up; its console ends with:\n\(machine.serial.tail())")
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    static let steps = [
        ("dhcp", "its firmware to ask for an address"), ("loader", "its boot loader"),
        ("script", "its question for a script"),
        ("kernel", "its kernel"), ("initrd", "its initrd"), ("up", "the installer to start and report"),
    ]

    static func waitingFor(_ status: HostStatus?) -> String {
        steps.first { step in status?.steps.contains(step.0) != true }?.1 ?? "nothing"
    }

    static func requireSteps(_ candidate: Candidate, _ status: HostStatus?) async throws {
        let missing = steps.map(\.0).filter { status?.steps.contains($0) != true }
        guard missing.isEmpty else {
            throw TestSupportError(
                .timedOut, "\(candidate.title) is up, but its timeline lacks \(missing.joined(separator: ", "))")
        }
    }
}

extension String {
    var indented: String {
        split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }.joined(separator: "\n")
    }
}
