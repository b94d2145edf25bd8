import Foundation
import TestSupport
import Testing

extension OneBoxAtATime {
    /// A flashed box has the tools for what machines verify, and may run them within its service's confinement.
    @Suite(.serialized)
    struct VerifyingBoxTests {
        @Test func aFlashedBoxMakesTheGRUBThatAMachineBootsBy() async throws {
            try Requirement.demand(GuestSite.requirements + Firmware.bios.requirements)
            let image = try ApplianceImage.built()
            let guest = try await GuestSite.image()
            try await ApplianceLab.with { lab in
                var site = GuestSite.site
                site.profiles.append("  verify: grub")
                let disk = try await image.flash(
                    in: lab.network.directory, name: "verifying", files: ApplianceLab.files(site))
                let box = try await lab.start(disk, name: "verifying")
                try await box.waitUntilServing()
                try await box.logIn()
                let push = try await lab.artifactctl(["push", "guest:1", guest.kernel.path, guest.initrd.path])
                #expect(push.succeeded, "\(push)")
                try await GuestSite.bootMachine(lab, firmware: .bios, name: "verifying-machine")
                let log = try TestOutput.folder("appliance-tests").appending(path: "verifying-machine.serial.log")
                let serial = String(decoding: try Data(contentsOf: log), as: UTF8.self)
                #expect(serial.contains("Provisioner: GRUB of this site"), "\(serial.suffix(2000))")
            }
        }

        @Test func aFlashedBoxMakesTheSignedProgramThatFirmwareBoots() async throws {
            try Requirement.demand(GuestSite.requirements + Firmware.uefi.requirements)
            let image = try ApplianceImage.built()
            let guest = try await GuestSite.image()
            try await ApplianceLab.with { lab in
                var site = GuestSite.site
                site.profiles.append("  verify: firmware")
                let disk = try await image.flash(
                    in: lab.network.directory, name: "signing", files: ApplianceLab.files(site))
                let box = try await lab.start(disk, name: "signing")
                try await box.waitUntilServing()
                try await box.logIn()
                let push = try await lab.artifactctl(["push", "guest:1", guest.kernel.path, guest.initrd.path])
                #expect(push.succeeded, "\(push)")
                try await GuestSite.bootMachine(lab, firmware: .uefi, name: "signing-machine")
            }
        }
    }
}
