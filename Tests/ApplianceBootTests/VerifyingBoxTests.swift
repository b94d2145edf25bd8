import Foundation
import TestSupport
import Testing

extension OneBoxAtATime {
    /// A flashed box has the tools for what machines verify, and may run them within its service's confinement.
    @Suite(.serialized)
    struct VerifyingBoxTests {
        /// The box's GRUB, and a unified kernel image that the box has signed.
        @Test(arguments: [("grub", Firmware.bios), ("firmware", .uefi)])
        func aFlashedBoxMakesWhatAMachineVerifies(verify: String, firmware: Firmware) async throws {
            try Requirement.demand(GuestSite.requirements + firmware.requirements)
            let image = try ApplianceImage.built()
            let guest = try await GuestSite.image()
            try await ApplianceLab.with { lab in
                var site = GuestSite.site
                site.profiles.append("  verify: \(verify)")
                let name = "verifying-\(verify)"
                let disk = try await image.flash(
                    in: lab.network.directory, name: name, files: ApplianceLab.files(site))
                let box = try await lab.start(disk, name: name)
                try await box.waitUntilServing()
                try await box.logIn()
                let push = try await lab.artifactctl(["push", "guest:1", guest.kernel.path, guest.initrd.path])
                #expect(push.succeeded, "\(push)")
                try await GuestSite.bootMachine(lab, firmware: firmware, name: "\(name)-machine")
                guard verify == "grub" else { return }
                let log = try TestOutput.folder("appliance-tests").appending(path: "\(name)-machine.serial.log")
                let serial = String(decoding: try Data(contentsOf: log), as: UTF8.self)
                #expect(serial.contains("Provisioner: GRUB of this site"), "\(serial.suffix(2000))")
            }
        }
    }
}
