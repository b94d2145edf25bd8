import TestSupport
import Testing

/// Real firmware, real kernel: a machine of the site file boots its profile, whatever way its firmware takes.
@Suite(.serialized)
struct NetworkBootTests {
    static let patience = Duration.seconds(240)

    @Test(arguments: [Firmware.bios, .biosPXEROM, .uefi, .uefiHTTPBoot])
    func bootsItsProfile(by firmware: Firmware) async throws {
        try Requirement.demand(GuestSite.requirements + firmware.requirements)
        try await NetworkLab.with { lab in
            let machine = GuestSite.machine(1, assignment: "{profile: guest, boot: always}")
            let site = try await GuestSite.start(in: lab, machines: [machine])
            let computer = try await lab.boot(.init(name: "hv01", mac: machine.mac, firmware: firmware))
            try await computer.waitForSerial(containing: "GUEST-DONE", timeout: Self.patience)
            let console = computer.serial.text
            #expect(console.contains("GUEST-PHONED-HOME"))
            #expect(console.contains("10.20.99.21"))
            #expect(console.contains("GUEST-OVERLAY written for hv01"))

            let status = try await site.server.waitForEvent("up", of: "hv01", timeout: .seconds(10))
            #expect(status.state == "up")
            for step in ["dhcp", "loader", "script", "kernel", "initrd", "up"] {
                #expect(status.steps.contains(step), "no step '\(step)' in \(status.steps)")
            }
            #expect(status.steps.firstIndex(of: "script") ?? 0 < status.steps.firstIndex(of: "kernel") ?? 0)
            let loaders = status.events.filter { $0.kind == "loader" }.map(\.detail)
            switch firmware {
            case .bios: #expect(loaders.allSatisfy { $0.contains("iPXE runs") })
            case .biosPXEROM: #expect(loaders.contains("undionly.kpxe"))
            case .uefi: #expect(loaders.contains("snponly.efi"))
            case .uefiHTTPBoot: #expect(loaders.contains("ipxe.efi"))
            case .uefiIPXEROM, .uefiSecureBoot, .uefiOwnKeys, .uefiOwnKeysHTTPBoot:
                Issue.record("no case of this test")
            }
            let kernel = try #require(status.events.first { $0.kind == "kernel" })
            #expect(kernel.detail == "guest:1/linux")
            #expect(kernel.bytes ?? 0 > 1_000_000)
        }
    }
}
