import ControlAPI
import Foundation
import TestSupport
import Testing

extension OneBoxAtATime {
    /// A flashed box, from the first start on.
    @Suite(.serialized)
    struct FlashedBoxTests {
        /// The whole walk: flash, start, log in with the code on the screen, push by name, boot another machine.
        @Test(arguments: [(Firmware.uefi, Firmware.bios), (.bios, .uefi), (.uefiSecureBoot, .bios)])
        func bootsAnotherMachine(box firmware: Firmware, machine: Firmware) async throws {
            try Requirement.demand(GuestSite.requirements + firmware.requirements + machine.requirements)
            let image = try ApplianceImage.built()
            let guest = try await GuestSite.image()
            try await ApplianceLab.with { lab in
                let name = "box-\(firmware.rawValue)"
                let disk = try await image.flash(in: lab.network.directory, name: name, files: GuestSite.files)
                let box = try await lab.start(disk, firmware: firmware, name: name)
                try await box.waitUntilServing()
                try await box.logIn()
                let push = try await lab.artifactctl(["push", "guest:1", guest.kernel.path, guest.initrd.path])
                #expect(push.succeeded, "\(push)")
                try await GuestSite.bootMachine(lab, firmware: machine, name: "\(name)-machine")

                let show = try await lab.artifactctl(["host", "show", "hv01"])
                for step in ["dhcp", "script", "kernel", "initrd", "up"] {
                    #expect(show.output.contains(step), "\(show)")
                }
                try await box.machine.waitForSerial(containing: "hv01: up", timeout: .seconds(30))
                let page = box.machine.serial.text
                #expect(page.contains("on provisioner-ph01"))
                #expect(page.contains(ApplianceLab.mac))
                let fingerprint = try await lab.artifactctl(["status"]).output.firstMatch(
                    of: /certificate +sha256:([0-9a-f]{64})/)?.1
                #expect(try page.contains(#require(fingerprint)))
                if firmware == .uefiSecureBoot {
                    #expect(try await Self.ssh(lab, box, "true") == nil, "there is no key, and so no SSH")
                }
                try await box.keepScreen()
            }
        }

        /// Keys open SSH; a password hash opens the login at the console; the box can tell about itself from inside.
        @Test func keysAndPasswordOpenTheirDoors() async throws {
            try Requirement.demand(
                GuestSite.requirements + [
                    .tool("ssh", package: "openssh-client"), .tool("openssl", package: "openssl"),
                ])
            let image = try ApplianceImage.built()
            try await ApplianceLab.with { lab in
                let key = lab.network.directory.appending(path: "key").path
                try await CommandRunner.local.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
                let hash = try await CommandRunner.local.run([
                    "openssl", "passwd", "-6", "-salt", "abcdefgh", "let-me-in",
                ])
                let files = GuestSite.files.merging([
                    "authorized_keys": try String(contentsOfFile: key + ".pub", encoding: .utf8),
                    "password_hash": hash.standardOutput,
                ]) { $1 }
                let disk = try await image.flash(in: lab.network.directory, name: "doors", files: files)
                let box = try await lab.start(disk, name: "doors")
                try await box.waitUntilServing()

                try await box.machine.waitForSerial(containing: "Press Enter to log in.", timeout: .seconds(60))
                try await box.machine.type("\n")
                try await box.machine.waitForSerial(containing: "Password:", timeout: .seconds(60))
                try await box.machine.type("let-me-in\n")
                try await Task.sleep(for: .seconds(3))
                try await box.machine.type("echo inside-$((40+2))\n")
                try await box.machine.waitForSerial(containing: "inside-42", timeout: .seconds(60))

                // Services run as their own users; only the authority may change the network.
                let processes = try #require(
                    try await Self.ssh(
                        lab, box, "ps -eo user:24,args | grep -E 'provisioner (serve|authority)|dnsmasq' | grep -v grep"
                    ))
                let users = processes.split(separator: "\n").map { ($0.split(separator: " ").first ?? "", $0) }
                #expect(
                    users.contains { $0 == "provisioner" && $1.contains("serve --authority-helper") }, "\(processes)")
                #expect(users.contains { $0 == "provisioner-authority" && $1.contains("dnsmasq") }, "\(processes)")
                #expect(!users.contains { $0.0 == "root" }, "\(processes)")
                let facts = try #require(
                    try await Self.ssh(
                        lab, box,
                        "systemctl is-system-running; findmnt -no FSTYPE,OPTIONS /; journalctl -b -u provisioner --no-pager | grep ready: ; "
                            + "systemctl --failed --no-legend; systemd-analyze security provisioner.service | tail -1; cat /proc/sys/net/ipv4/ip_forward"
                    ))
                #expect(facts.contains("running"), "\(facts)")
                #expect(facts.contains("squashfs ro"), "\(facts)")
                #expect(facts.contains("ready:"), "\(facts)")
                try Data(facts.utf8).write(to: TestOutput.folder("appliance-tests").appending(path: "doors.facts.txt"))
            }
        }

        /// nil when there is no way in.
        static func ssh(_ lab: ApplianceLab, _ box: Appliance, _ command: String) async throws -> String? {
            let result = try await lab.operatorHost.commands.result(
                of: [
                    "ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o",
                    "UserKnownHostsFile=/dev/null",
                    "-o",
                    "ConnectTimeout=10", "-i", lab.network.directory.appending(path: "key").path,
                    "root@\(ApplianceLab.address)", command,
                ], timeLimit: .seconds(60))
            return result.exitCode == 255 ? nil : result.standardOutput
        }

        /// The disk grows, and the battery clock is lost before the first start and again before the third: the
        /// certificate is believed all the same, and what was published later has the later time.
        @Test func aLargerDiskIsUsedAndALostClockHarmsNothing() async throws {
            let image = try ApplianceImage.built()
            try await ApplianceLab.with { lab in
                let disk = try await image.flash(
                    in: lab.network.directory, name: "larger", size: 4, files: GuestSite.files)
                let file = lab.network.directory.appending(path: "file")
                try Data("content".utf8).write(to: file)
                let lost = "2001-01-01T00:00:00"
                var totals: [Int64] = []
                for (number, (size, clock)) in [(4, lost), (7, nil), (7, lost)].enumerated() {
                    try await CommandRunner.local.run(["truncate", "-s", "\(size)G", disk.path])
                    let box = try await lab.start(disk, name: "larger-\(number + 1)", clock: clock)
                    try await box.waitUntilServing()
                    if number == 0 { try await box.logIn() }
                    let push = try await lab.artifactctl(["push", "start-\(number + 1):1", file.path])
                    #expect(push.succeeded, "\(push)")
                    let status = try await lab.artifactctl(["status", "--json"])
                    let total = try #require(status.standardOutput.firstMatch(of: /"totalBytes" : ([0-9]+)/)?.1)
                    totals.append(try #require(Int64(total)))
                    await box.machine.cutPower()
                }
                // 2.5 GiB lie before the data partition; a file system takes some for itself.
                #expect(totals[0] > 1_200_000_000 && totals[0] < 1_700_000_000, "\(totals)")
                #expect(totals[1] > 4_200_000_000 && totals[1] < 5_000_000_000, "\(totals)")
                #expect(totals[2] == totals[1], "\(totals)")

                let box = try await lab.start(disk, name: "larger-4", clock: lost)
                try await box.waitUntilServing()
                let list = try await lab.artifactctl(["ls", "--json"])
                let artifacts = try JSONDecoder().decode([ArtifactSummary].self, from: Data(list.standardOutput.utf8))
                #expect(artifacts.map(\.name) == ["start-1", "start-2", "start-3"])
                #expect(artifacts.map(\.publishedAt) == artifacts.map(\.publishedAt).sorted(), "\(list)")
                #expect(Set(artifacts.map(\.publishedAt)).count == 3, "\(list)")
            }
        }

        /// With not a byte free, root's reserve included, it starts, boots machines and says what it cannot do.
        @Test func aFullDataPartitionStillBootsAndServes() async throws {
            try Requirement.demand(GuestSite.requirements + [.tool("ssh", package: "openssh-client")])
            let image = try ApplianceImage.built()
            let guest = try await GuestSite.image()
            try await ApplianceLab.with { lab in
                let key = lab.network.directory.appending(path: "key").path
                try await CommandRunner.local.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
                let keys = ["authorized_keys": try String(contentsOfFile: key + ".pub", encoding: .utf8)]
                let disk = try await image.flash(
                    in: lab.network.directory, name: "full", size: 3, files: GuestSite.files.merging(keys) { $1 })
                let box = try await lab.start(disk, name: "full-before")
                try await box.waitUntilServing()
                try await box.logIn()
                let push = try await lab.artifactctl(["push", "guest:1", guest.kernel.path, guest.initrd.path])
                #expect(push.succeeded, "\(push)")
                let filled = try await Self.ssh(
                    lab, box,
                    "cat /dev/zero >/var/lib/filler; sync; df --output=avail /var | tail -1; stat -f -c %f /var")
                #expect(filled?.split(whereSeparator: \.isWhitespace).first == "0", "\(filled ?? "no answer")")
                await box.machine.cutPower()

                let again = try await lab.start(disk, name: "full-after")
                try await again.waitUntilServing()
                try await GuestSite.bootMachine(lab, firmware: .bios, name: "full-machine")
                let large = lab.network.directory.appending(path: "large").path
                try await CommandRunner.local.run([
                    "dd", "if=/dev/urandom", "of=\(large)", "bs=1M", "count=8", "status=none",
                ])
                let refused = try await lab.artifactctl(["push", "large:1", large])
                #expect(refused.exitCode == 1)
                #expect(refused.standardError.contains("no space"), "\(refused)")
                try await again.keepScreen()
            }
        }
    }
}
