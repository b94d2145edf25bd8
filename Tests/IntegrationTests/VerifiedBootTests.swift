import Foundation
import TestSupport
import Testing

/// Signatures for loaders that verify. Debian's iPXE has no `imgverify`: what it would verify is held against openssl, which
/// reads the same format, with the certificate that a loader would have inside.
@Suite struct VerifiedBootTests {
    private static let site = SiteFixture(
        machines: [ServedLab.machine],
        profiles: [
            "installer:", "  kernel: \"os:1/linux\"", "  initrd: [\"os:1/tree.tar/initrd\"]", "  verify: ipxe",
            "  overlay: {note: {from: \"os:1/note\", fill: true}}",
        ])

    /// The script of the machine, when it is no longer held.
    private func script(_ lab: NetworkLab) async throws -> String {
        var text = ""
        for _ in 0..<200 {
            text = try await ServedLab.curl(lab, "http://10.20.99.1/ipxe/script?mac=\(ServedLab.machine.mac)").output
            if text.contains("\nkernel ") { return text }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw TestSupportError(.timedOut, text)
    }

    @Test func everythingThatIsLoadedHasASignatureThatOneFlippedByteSpoils() async throws {
        try Requirement.demand([.tool("openssl", package: "openssl")])
        try await ServedLab.with(site: Self.site) { lab, server in
            let tar = try await ServedLab.tree(lab)
            let linux = try ServedLab.file("linux", Data("the kernel".utf8), lab)
            let note = try ServedLab.file("note", Data("for ${host.name}\n".utf8), lab)
            try await server.artifactctl("push", "os:1", linux, tar, note)
            let script = try await script(lab)
            let certificate = lab.directory.appending(path: "boot.crt").path
            let shown = try await ServedLab.bootKey(lab, server, "show")
            try Data(shown.standardOutput.utf8).write(to: URL(filePath: certificate))

            // What the script says is loaded and verified, one after another.
            var loaded: [String: String] = [:]
            var verified: [(name: String, url: String)] = []
            for line in script.split(separator: "\n") {
                let words = line.split(separator: " ").map(String.init)
                if words.first == "kernel" || words.first == "initrd" { loaded[words[2]] = words[3] }
                if words.first == "imgverify" {
                    #expect(line.hasSuffix(" || goto unverified"))
                    #expect(loaded[words[1]] != nil, "verified after it was loaded")
                    verified.append((words[1], words[2]))
                }
            }
            #expect(Set(verified.map(\.name)) == Set(loaded.keys) && loaded.count == 3, "\(script)")
            let last = try #require(script.range(of: "\nimgverify", options: .backwards))
            #expect(
                script[last.lowerBound...].contains("\nboot || goto failed\n"), "nothing boots before all are verified")
            for (name, url) in verified {
                let content = lab.directory.appending(path: name)
                let signature = lab.directory.appending(path: "\(name).cms").path
                for (from, to) in [(loaded[name] ?? "", content.path), (url, signature)] {
                    let place = from.replacing("pxe.dvntm.deevnet.net", with: "10.20.99.1")
                        .replacing("artifacts.dvntm.deevnet.net", with: "10.20.99.1")
                    #expect(try await ServedLab.curl(lab, "-f", "-o", to, place).succeeded, "\(from)")
                }
                let check = ServedLab.cmsCheck(signature, over: content.path, by: certificate)
                #expect(try await lab.commands.result(of: check).succeeded, "\(name)")
                var bytes = try Data(contentsOf: content)
                bytes[bytes.count / 2] ^= 1
                try bytes.write(to: content)
                #expect(try await !lab.commands.result(of: check).succeeded, "\(name) with one byte flipped")
            }
            let form = try await lab.commands.run(
                [
                    "openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in",
                    lab.directory.path + "/linux.cms",
                ])
            #expect(form.output.contains("signedAttrs:\n          <ABSENT>"), "iPXE reads no signed attributes")
            let purpose = try await lab.commands.run(["openssl", "x509", "-in", certificate, "-noout", "-text"])
            #expect(purpose.output.contains("Code Signing") && purpose.output.contains("3072 bit"))
        }
    }

    /// Before any machine asks: firmware asks a few times only.
    @Test func grubIsMadeAheadWhereAProfileVerifiesByIt() async throws {
        try Requirement.demand([
            .tool("gpg", package: "gnupg"), .tool("grub-mkimage", package: "grub-common"),
            .tool("sbsign", package: "sbsigntool"),
        ])
        var site = Self.site
        try await ServedLab.with(site: site) { lab, server in
            let key = server.dataDirectory.appending(path: "boot-openpgp.key").path
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/os:1/x") == "404")
            #expect(!FileManager.default.fileExists(atPath: key), "nobody verifies by GRUB")
            site.profiles = site.profiles.map { $0.replacing("verify: ipxe", with: "verify: grub") }
            try Data(site.yaml.utf8).write(to: server.siteFile)
            for _ in 0..<300 where !FileManager.default.fileExists(atPath: key) {
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(FileManager.default.fileExists(atPath: key))
        }
    }

    @Test func theKeyStaysWhereItIsAndARotationMakesAllAnew() async throws {
        try await ServedLab.with(site: Self.site) { lab, server in
            let key = server.dataDirectory.appending(path: "boot.key").path
            let mode = try FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            for path in [
                "boot.key", "/boot.key", "loaders/boot.key", "loaders/../boot.key", "signatures/os:1/../boot.key",
            ] {
                #expect(
                    try await ServedLab.status(lab, "--path-as-is", "http://10.20.99.1/\(path)") != "200", "\(path)")
            }
            let before = try await ServedLab.bootKey(lab, server, "show")
            #expect(!before.standardOutput.contains("PRIVATE"))
            await server.program.stop()
            let rotated = try await ServedLab.bootKey(lab, server, "rotate")
            #expect(rotated.standardOutput != before.standardOutput)
            let again = try await ProvisionerServer.start(in: lab, siteFile: server.siteFile, name: "again")
            #expect(try await ServedLab.bootKey(lab, server, "show").standardOutput == rotated.standardOutput)
            _ = again
        }
    }
}
