import Foundation
import TestSupport
import Testing

/// `provisioner preflight` beside a server that answers DHCP, DNS, TFTP and HTTP on a segment of its own.
@Suite struct PreflightTests {
    private static let site = SiteFixture(
        machines: [ServedLab.machine],
        profiles: [
            "installer:", "  kernel: \"os:1/linux\"", "  initrd: [\"os:1/initrd\"]", "  answer: \"os:1/answer\"",
            "  args: [\"url=${answer.url}\"]", "  verify: ipxe",
        ])

    private static func with(
        site: SiteFixture = Self.site, arguments: [String] = [],
        _ body: (NetworkLab, ProvisionerServer) async throws -> Void
    ) async throws {
        try Requirement.demand(ProvisionerServer.requirements)
        try await NetworkLab.with { lab in
            let server = try await ProvisionerServer.start(in: lab, site: site.yaml, arguments: arguments)
            try await server.program.waitForLine(containing: "answering DNS and DHCP", timeout: .seconds(30))
            try await body(lab, server)
        }
    }

    private static func push(_ lab: NetworkLab, _ server: ProvisionerServer) async throws {
        let files = try ["linux", "initrd", "answer"].enumerated().map { number, name in
            try ServedLab.file(name, ServedLab.bytes(300_000 + number), lab)
        }
        try await server.artifactctl("push", "os:1", files[0], files[1], files[2])
    }

    private static func preflight(
        _ lab: NetworkLab, _ server: ProvisionerServer, _ more: String...
    ) async throws -> CommandResult {
        try await lab.commands.result(
            of: [
                try BuiltProducts.provisioner(), "preflight", "--site", server.siteFile.path, "--data",
                server.dataDirectory.path,
            ] + more)
    }

    @Test func aMachineThatWouldBootIsToldSoAndNothingChangesByIt() async throws {
        try await Self.with { lab, server in
            try await Self.push(lab, server)
            let told = try await Self.preflight(
                lab, server, "--firmware", "bios", "--firmware", "uefi", "--firmware", "uefi-http")
            #expect(told.succeeded, "\(told)")
            for line in [
                "ok       dhcp bios      10.20.99.21 from 10.20.99.1, boots loaders/undionly.kpxe",
                "ok       loader uefi    loaders/snponly.efi",
                "ok       loader uefi-http http://pxe.dvntm.deevnet.net/loaders/ipxe.efi", "ok       stage 1",
                "ok       linux          300000 bytes, sha256:", "ok       linux.cms", "ok       initrd.cms",
                "ok       answer         os:1/answer", "1 machines: 1 would boot, 0 would not",
            ] { #expect(told.standardOutput.contains(line), "\(line) is not in \(told.standardOutput)") }
            let shown = try await server.artifactctl("host", "show", "hv01").output
            #expect(shown.contains("never seen"), "no line on its timeline: \(shown)")
            let quiet = try await Self.preflight(lab, server, "--quiet")
            #expect(quiet.standardOutput == "1 machines: 1 would boot, 0 would not\n")
        }
    }

    @Test func whatTheSitesGRUBWouldLoadIsVerifiedAsItWould() async throws {
        try Requirement.demand([
            .tool("gpg", package: "gnupg"), .tool("gpgv", package: "gpgv"),
            .tool("grub-mkimage", package: "grub-common"), .tool("sbsign", package: "sbsigntool"),
        ])
        var site = Self.site
        site.profiles = site.profiles.map { $0.replacing("verify: ipxe", with: "verify: grub") }
        try await Self.with(site: site) { lab, server in
            try await Self.push(lab, server)
            let told = try await Self.preflight(lab, server)
            #expect(told.succeeded, "\(told)")
            for line in [
                "ok       loader bios    loaders/grub-pc.0", "ok       loader uefi    loaders/grub-x64.efi",
                "ok       grub           http://pxe.dvntm.deevnet.net/grub/52:54:00:20:99:21.cfg",
                "ok       grub.sig ", "ok       linux          300000 bytes", "ok       linux.sig ",
                "ok       initrd.sig ",
                "1 machines: 1 would boot, 0 would not",
            ] { #expect(told.standardOutput.contains(line), "\(line) is not in \(told.standardOutput)") }
            #expect(try await server.artifactctl("host", "show", "hv01").output.contains("never seen"))

            // Signatures by a key that this data directory does not have.
            try FileManager.default.removeItem(at: server.dataDirectory.appending(path: "boot-openpgp.key"))
            let other = try await Self.preflight(lab, server)
            #expect(other.exitCode == 1)
            #expect(other.standardOutput.contains("FAILS    linux.sig      the data directory has no key"), "\(other)")
        }
    }

    @Test func whatFirmwareWouldLoadIsVerifiedAsItWould() async throws {
        try Requirement.demand([
            .tool("objcopy", package: "binutils"), .tool("sbverify", package: "sbsigntool"),
            .file(URL(filePath: "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"), package: "systemd-boot-efi"),
        ])
        var site = Self.site
        site.profiles = site.profiles.map { $0.replacing("verify: ipxe", with: "verify: firmware") }
        try await Self.with(site: site) { lab, server in
            try await Self.push(lab, server)
            let told = try await Self.preflight(lab, server, "--firmware", "uefi", "--firmware", "uefi-http")
            #expect(told.succeeded, "\(told)")
            for firmware in ["uefi   ", "uefi-http"] {
                let line = try #require(
                    told.standardOutput.split(separator: "\n").first { $0.contains("loader \(firmware) ") }, "\(told)")
                #expect(line.contains("ok       loader"), "\(line)")
                #expect(line.contains("uki/52:54:00:20:99:21.efi: ") && line.hasSuffix("signed by the boot key"))
            }
            #expect(try await server.artifactctl("host", "show", "hv01").output.contains("never seen"))

            // Another key's certificate in its place.
            try await lab.run([
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-keyout",
                "/dev/null",
                "-out", server.dataDirectory.appending(path: "boot.crt").path,
            ])
            let other = try await Self.preflight(lab, server, "--firmware", "uefi")
            #expect(other.exitCode == 1)
            #expect(other.standardOutput.contains("is not signed by the boot key"), "\(other)")
        }
    }

    @Test func whatTheRealMachineWouldStumbleOverIsNamed() async throws {
        try await Self.with { lab, server in
            let missing = try await Self.preflight(lab, server)
            #expect(missing.exitCode == 1)
            #expect(missing.standardOutput.contains("FAILS    decision       profile installer cannot be served"))
            try await Self.push(lab, server)
            #expect(try await Self.preflight(lab, server).succeeded)

            // A second DHCP server, such as a forgotten router's.
            let rogue = try await lab.addHost("rogue", address: "10.20.99.77/24")
            _ = try await rogue.start(
                [
                    "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=eth0",
                    "--dhcp-range=10.20.99.150,10.20.99.160", "--dhcp-boot=other", "--pid-file=", "--no-ping",
                    "--dhcp-leasefile=\(lab.directory.path)/rogue.leases", "--log-facility=-", "--user=root",
                ], log: "rogue.log")
            var told = try await Self.preflight(lab, server)
            for _ in 0..<50 where told.succeeded { told = try await Self.preflight(lab, server) }
            #expect(told.standardOutput.contains("2 DHCP servers answer: "), "\(told)")
            #expect(told.standardOutput.contains("-> switch off all but one"))
        }
    }

    @Test func aDamagedFileIsFoundBeforeAMachineLoadsIt() async throws {
        try await Self.with { lab, server in
            try await Self.push(lab, server)
            #expect(try await Self.preflight(lab, server).succeeded)
            let digest = try await lab.run(["sha256sum", lab.directory.path + "/initrd"]).output.prefix(64)
            let blob =
                "\(server.dataDirectory.path)/blobs/sha256/\(digest.prefix(2))/\(digest.dropFirst(2).prefix(2))/\(digest)"
            try await lab.run([
                "sh", "-c", "chmod u+w \(blob); printf x | dd of=\(blob) bs=1 seek=1000 conv=notrunc status=none",
            ])
            let told = try await Self.preflight(lab, server)
            #expect(told.exitCode == 1)
            #expect(told.standardOutput.contains("FAILS    initrd         http://"), "\(told)")
            #expect(told.standardOutput.contains("what came has digest"))
            #expect(told.standardOutput.contains("ok       linux "))
        }
    }

    @Test func withoutAServerEachDoorThatIsClosedIsNamed() async throws {
        try await Self.with { lab, server in
            try await Self.push(lab, server)
            await server.program.stop()
            let told = try await Self.preflight(lab, server)
            #expect(told.exitCode == 1)
            #expect(told.standardOutput.contains("no DHCP server answers on br0"), "\(told)")
            let direct = try await Self.preflight(lab, server, "--server", "10.20.99.1")
            #expect(direct.standardOutput.contains("FAILS    stage 1"))
            #expect(direct.standardOutput.contains("is 'provisioner serve' running"))
            let wrong = try await Self.preflight(lab, server, "--host", "nobody")
            #expect(!wrong.succeeded && wrong.standardError.contains("the site file has no such host"))
        }
    }
}
