import Foundation
import TestSupport
import Testing

/// Trust to the firmware: what a machine starts is what this site has signed, or nothing.
@Suite(.serialized)
struct VerifiedChainTests {
    static let patience = Duration.seconds(150)

    private static let tools: [Requirement] = [
        .tool("gpg", package: "gnupg"), .tool("grub-mkimage", package: "grub-common"),
        .file(URL(filePath: "/usr/lib/grub/i386-pc/moddep.lst"), package: "grub-pc-bin"),
        .file(URL(filePath: "/usr/lib/grub/x86_64-efi/moddep.lst"), package: "grub-efi-amd64-bin"),
        .tool("objcopy", package: "binutils"), .tool("sbsign", package: "sbsigntool"),
        .file(URL(filePath: "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"), package: "systemd-boot-efi"),
    ]

    /// A machine of a site with a profile that is verified so.
    private static func withMachine(
        _ firmware: Firmware, verify: String,
        tampering: (ending: String, needle: String?)? = nil,
        _ body: (VirtualMachine, GuestSite, TamperingProxy?) async throws -> Void
    ) async throws {
        try Requirement.demand(
            GuestSite.requirements + firmware.requirements + tools
                + (tampering == nil ? [] : TamperingProxy.requirements))
        try await NetworkLab.with { lab in
            let machine = GuestSite.machine(1, assignment: "{profile: guest, boot: always}")
            let site = try await GuestSite.start(in: lab, machines: [machine], verify: verify)
            var variables: URL?
            if firmware == .uefiOwnKeys || firmware == .uefiOwnKeysHTTPBoot {
                let certificate = site.server.dataDirectory.appending(path: "boot.crt")
                variables = try await FirmwareKeys.enroll(certificate, in: lab.directory)
            }
            var proxy: TamperingProxy?
            if let tampering {
                proxy = try await TamperingProxy.start(in: lab, changing: tampering.ending, at: tampering.needle)
            }
            let computer = try await lab.boot(
                .init(name: "hv01", mac: machine.mac, firmware: firmware, memory: 1024, variables: variables))
            try await body(computer, site, proxy)
        }
    }

    @Test(arguments: [Firmware.bios, .biosPXEROM, .uefi, .uefiHTTPBoot, .uefiIPXEROM, .uefiOwnKeys])
    func bootsByTheGRUBOfTheSite(by firmware: Firmware) async throws {
        try await Self.withMachine(firmware, verify: "grub") { computer, site, _ in
            try await computer.waitForSerial(containing: "GUEST-DONE", timeout: Self.patience)
            let console = computer.serial.text
            #expect(console.contains("GUEST-PHONED-HOME"))
            #expect(console.contains("GUEST-OVERLAY written for hv01"))
            #expect(console.contains("GUEST-UP BOOT_IMAGE=(http,10.20.99.1)/grub/files/guest:1/linux console=ttyS0"))
            let status = try await site.server.waitForEvent("up", of: "hv01", timeout: .seconds(10))
            for step in ["dhcp", "loader", "script", "kernel", "initrd", "up"] {
                #expect(status.steps.contains(step), "no step '\(step)' in \(status.steps)")
            }
            let grub = firmware == .bios || firmware == .biosPXEROM ? "grub-pc.0" : "grub-x64.efi"
            #expect(status.events.contains { $0.kind == "loader" && $0.detail == grub })
        }
    }

    /// One bit on the way from the server to GRUB.
    @Test(
        arguments: [Firmware.biosPXEROM, .uefi],
        [
            ("/guest:1/linux", nil), ("/guest:1/initrd.gz", nil), ("/overlay.cpio", "written for"),
            (".cfg", "phonehome"),
        ] as [(String, String?)])
    func aFlippedBitStopsGRUBWithAMessage(by firmware: Firmware, at place: (ending: String, needle: String?))
        async throws
    {
        try await Self.withMachine(firmware, verify: "grub", tampering: place) { computer, _, proxy in
            let message = place.ending == ".cfg" ? "none that this site has signed" : "bad signature"
            try await computer.waitForSerial(containing: message, timeout: Self.patience)
            // It has gone around once more, and booted nothing.
            try await computer.waitForSerial(containing: "nothing was booted", timeout: Self.patience)
            #expect(!computer.serial.text.contains("GUEST-UP"))
            #expect(proxy?.log.text.contains("flipped") == true)
        }
    }

    @Test(arguments: [Firmware.uefiOwnKeys, .uefiOwnKeysHTTPBoot, .uefiIPXEROM])
    func firmwareStartsTheSignedImage(by firmware: Firmware) async throws {
        try await Self.withMachine(firmware, verify: "firmware") { computer, site, _ in
            try await computer.waitForSerial(containing: "GUEST-DONE", timeout: Self.patience)
            let console = computer.serial.text
            #expect(console.contains("GUEST-PHONED-HOME"))
            #expect(console.contains("GUEST-OVERLAY written for hv01"))
            // Without Secure Boot, iPXE says the arguments, behind a name for the image.
            let start = firmware == .uefiIPXEROM ? "GUEST-UP BOOT_IMAGE=uki console=ttyS0" : "GUEST-UP console=ttyS0"
            #expect(console.contains(start))
            let status = try await site.server.waitForEvent("up", of: "hv01", timeout: .seconds(10))
            for step in ["dhcp", "script", "up"] {
                #expect(status.steps.contains(step), "no step '\(step)' in \(status.steps)")
            }
        }
    }

    /// One bit of the kernel, of the initrd of the site, of an overlay, of the arguments.
    @Test(arguments: ["debian-kernel@lists.debian.org", "written for hv01", "phonehome="])
    func aFlippedBitStopsTheFirmwareWithAMessage(at place: String) async throws {
        try await Self.withMachine(
            .uefiOwnKeysHTTPBoot, verify: "firmware", tampering: (".efi", place)
        ) { computer, _, proxy in
            try await computer.waitForSerial(containing: "Access Denied", timeout: Self.patience)
            #expect(!computer.serial.text.contains("GUEST-UP"))
            #expect(proxy?.log.text.contains("flipped") == true)
        }
    }
}
