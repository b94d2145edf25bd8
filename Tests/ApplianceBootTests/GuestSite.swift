import Foundation
import TestSupport

/// A site with one machine that boots the small test guest.
enum GuestSite {
    static let requirements = ApplianceLab.requirements + GuestImage.requirements

    static let machine = SiteFixture.Machine(
        name: "hv01", mac: "52:54:00:20:99:21", address: "10.20.99.21", assignment: "{profile: guest, boot: always}")

    static let site = SiteFixture(
        machines: [machine],
        profiles: [
            "guest:", "  kernel: \"guest:1/linux\"", "  initrd: [\"guest:1/initrd.gz\"]",
            "  args: [console=ttyS0, \"phonehome=${boot.url}/up\"]",
        ])

    static let files = ApplianceLab.files(site)

    static func image() async throws -> GuestImage {
        try await GuestImage.build(in: FileManager.default.temporaryDirectory.appending(path: "provisioner-test-guest"))
    }

    /// Boots the site's machine from the network until its kernel has reported.
    static func bootMachine(_ lab: ApplianceLab, firmware: Firmware, name: String) async throws {
        let log = try TestOutput.folder("appliance-tests").appending(path: "\(name).serial.log")
        let computer = try await lab.network.boot(
            .init(name: name, mac: machine.mac, firmware: firmware, serialLog: log))
        try await computer.waitForSerial(containing: "GUEST-DONE", timeout: ApplianceLab.patience)
        guard computer.serial.text.contains("GUEST-PHONED-HOME") else {
            throw TestSupportError(.timedOut, "the machine did not report:\n\(computer.serial.tail())")
        }
        await computer.stop()
    }
}
