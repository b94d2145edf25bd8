import Foundation
import TestSupport
import Testing

/// What must not happen: an installation by accident, or twice.
@Suite(.serialized)
struct InstallOnceTests {
    static let patience = Duration.seconds(240)

    @Test func aMachineThatReportedInstalledBootsItsDiskUntilItIsArmed() async throws {
        try Requirement.demand(GuestSite.requirements + Firmware.bios.requirements)
        try await NetworkLab.with { lab in
            let machine = GuestSite.machine(1, assignment: "{profile: guest, boot: once}")
            let site = try await GuestSite.start(in: lab, machines: [machine], report: "installed")
            let disk = try BootableDisk.make(in: lab.directory, saying: "DISK-OF-HV01")

            let first = try await lab.boot(.init(name: "first", mac: machine.mac, firmware: .bios, disk: disk))
            try await first.waitForSerial(containing: "GUEST-DONE", timeout: Self.patience)
            await first.stop()
            #expect(try await site.server.host("hv01").state == "installed")

            let second = try await lab.boot(.init(name: "second", mac: machine.mac, firmware: .bios, disk: disk))
            try await second.waitForSerial(containing: "DISK-OF-HV01", timeout: Self.patience)
            #expect(!second.serial.text.contains("GUEST-UP"))
            await second.stop()

            try await site.server.artifactctl("host", "arm", "hv01")
            #expect(try await site.server.host("hv01").state == "armed")
            let third = try await lab.boot(.init(name: "third", mac: machine.mac, firmware: .bios, disk: disk))
            try await third.waitForSerial(containing: "GUEST-DONE", timeout: Self.patience)
            #expect(try await site.server.host("hv01").state == "installed")
        }
    }

    @Test func anUnknownMachineBootsItsDiskAndIsDiscovered() async throws {
        try Requirement.demand(GuestSite.requirements + Firmware.bios.requirements)
        try await NetworkLab.with { lab in
            let known = GuestSite.machine(1, assignment: "{profile: guest, boot: once}")
            let site = try await GuestSite.start(in: lab, machines: [known])
            let disk = try BootableDisk.make(in: lab.directory, saying: "DISK-OF-A-STRANGER")
            let stranger = "52:54:00:99:99:99"
            let computer = try await lab.boot(.init(name: "stranger", mac: stranger, firmware: .bios, disk: disk))
            try await computer.waitForSerial(containing: "DISK-OF-A-STRANGER", timeout: Self.patience)
            #expect(computer.serial.text.contains("it is not in the site file"))
            let status = try await site.server.host(stranger)
            #expect(status.state == "discovered")
            #expect(status.name == nil)
            #expect(!status.steps.contains("kernel"))
        }
    }

    @Test(arguments: [Firmware.bios, .uefi])
    func aHostSetToLocalBootsItsDisk(by firmware: Firmware) async throws {
        try Requirement.demand(GuestSite.requirements + firmware.requirements)
        try await NetworkLab.with { lab in
            let machine = GuestSite.machine(1, assignment: "{profile: guest, boot: local}")
            let site = try await GuestSite.start(in: lab, machines: [machine])
            let disk = try BootableDisk.make(in: lab.directory, saying: "DISK-OF-HV01")
            let computer = try await lab.boot(.init(name: "hv01", mac: machine.mac, firmware: firmware, disk: disk))
            // OVMF cannot start a BIOS boot sector: there the firmware's next boot entry is the proof.
            let proof = firmware == .bios ? "DISK-OF-HV01" : "booting the local disk"
            try await computer.waitForSerial(containing: proof, timeout: Self.patience)
            let status = try await site.server.waitForEvent("script", of: "hv01", timeout: .seconds(10))
            #expect(status.state == "local")
            #expect(!status.steps.contains("kernel"))
        }
    }
}
