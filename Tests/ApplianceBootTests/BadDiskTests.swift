import Foundation
import TestSupport
import Testing

extension OneBoxAtATime {
    /// What is wrong with a disk or its files is said on the console, with what to do.
    @Suite(.serialized)
    struct BadDiskTests {
        private func start(
            _ name: String, files: [String: String] = GuestSite.files, firmware: Firmware = .uefi,
            preparing: (URL) async throws -> Void = { _ in }, _ body: (ApplianceLab, Appliance) async throws -> Void
        ) async throws {
            let image = try ApplianceImage.built()
            try await ApplianceLab.with { lab in
                let disk = try await image.flash(in: lab.network.directory, name: name, files: files)
                try await preparing(disk)
                let box = try await lab.start(disk, firmware: firmware, name: name)
                try await body(lab, box)
                try await box.keepScreen()
            }
        }

        private func require(_ box: Appliance, says texts: String...) async throws {
            for text in texts {
                try await box.waitUntilConsoleSays(text)
            }
        }

        /// The control plane answers, and nothing else does.
        private func requireControlOnly(_ lab: ApplianceLab, at address: String = ApplianceLab.address) async throws {
            let host = lab.operatorHost.commands
            let control = try await host.result(of: [
                "curl", "-sk", "--retry", "20", "--retry-delay", "1", "--retry-all-errors", "-o", "/dev/null", "-w",
                "%{http_code}", "https://\(address)/v2/",
            ])
            #expect(control.output == "401", "\(control)")
            for url in ["http://\(address)/boot.ipxe", "tftp://\(address)/boot.ipxe"] {
                let boot = try await host.result(of: ["curl", "-sS", "--max-time", "5", url])
                #expect(!boot.succeeded, "\(boot)")
            }
        }

        @Test func aSiteFileWithAnErrorIsToldWithItsLine() async throws {
            let wrong = (GuestSite.files["site.yaml"] ?? "").replacing(
                "gateway: 10.20.99.1", with: "gatway: 10.20.99.1")
            let line = try #require(wrong.split(separator: "\n").firstIndex { $0.contains("gatway") }) + 1
            try await start("bad-site", files: GuestSite.files.merging(["site.yaml": wrong]) { $1 }) { lab, box in
                try await require(box, says: "site.yaml:\(line):", "did you mean", "Nothing but this page")
                try await requireControlOnly(lab)
            }
        }

        @Test func aCardThatIsNotThereIsToldWithTheOnesThatAre() async throws {
            let wrong = ApplianceLab.networkFile.replacing(ApplianceLab.mac, with: "52:54:00:aa:aa:aa")
            try await start("bad-network", files: GuestSite.files.merging(["network.yaml": wrong]) { $1 }) { lab, box in
                try await require(box, says: "network.yaml:4:", "52:54:00:aa:aa:aa", ApplianceLab.mac, "169.254.")
                let found = box.machine.serial.text.matches(of: /169\.254\.[0-9]+\.[0-9]+/).last.map {
                    String($0.output)
                }
                try await lab.operatorHost.run(["ip", "address", "add", "169.254.0.99/16", "dev", "eth0"])
                try await requireControlOnly(lab, at: try #require(found))
            }
        }

        @Test func withoutFilesItSaysWhatToDo() async throws {
            try await start("no-files", files: [:]) { lab, box in
                try await require(box, says: "169.254.", "network.yaml.example", "link-local addresses only", "--code ")
                #expect(!box.machine.serial.text.contains("PROBLEM     site.yaml"))
            }
        }

        @Test func aFileThatCannotBeReadIsNamed() async throws {
            let files = GuestSite.files.filter { $0.key != "site.yaml" }
            try await start("unreadable", files: files) { disk in
                try await ApplianceImage.mtools(
                    "mmd", ["-i", "\(disk.path)@@\(ApplianceImage.bootOffset)", "::site.yaml"])
            } _: { lab, box in
                try await require(box, says: "site.yaml: it cannot be read")
                try await requireControlOnly(lab)
            }
        }

        /// One flipped byte in the root file system.
        @Test func aDamagedRootBlockIsRefused() async throws {
            try await start("bad-root") { disk in
                try ApplianceImage.damage(disk, at: ApplianceImage.slotAOffset + 100, with: Data([0x5a]))
            } _: { _, box in
                try await require(box, says: "Provisioner cannot start", "slot a", "What to do: flash the image again")
                #expect(!box.machine.serial.text.contains("interfaces "))
            }
        }

        @Test func anUnreadableBootPartitionIsSaid() async throws {
            try await start("no-boot-partition", firmware: .bios) { disk in
                try ApplianceImage.damage(disk, at: ApplianceImage.bootOffset, with: Data(count: 4 << 20))
            } _: { _, box in
                try await require(
                    box, says: "the partition PROVISION of this disk is missing or unreadable", "What to do:")
            }
        }

        /// Half of the root file system is there.
        @Test func anImageThatWasWrittenHalfIsSaid() async throws {
            try await start("half-image") { disk in
                let kept = ApplianceImage.slotAOffset + (60 << 20)
                try await CommandRunner.local.run(["truncate", "-s", "\(kept)", disk.path])
                try await CommandRunner.local.run(["truncate", "-s", "6G", disk.path])
            } _: { _, box in
                try await require(box, says: "Provisioner cannot start", "not written completely")
            }
        }

        /// All but the data partition is there.
        @Test func anImageThatLacksItsEndIsSaid() async throws {
            try await start("no-data") { disk in
                try ApplianceImage.damage(disk, at: ApplianceImage.dataOffset, with: Data(count: 64 << 20))
            } _: { _, box in
                try await require(box, says: "data partition", "not written completely")
            }
        }
    }
}
