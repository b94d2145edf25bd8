import Foundation
import TestSupport
import Testing

/// Signatures from the operator's key to the machine, with the tools that people have.
@Suite struct SignatureTests {
    private static let requirements: [Requirement] = [
        .tool("ssh-keygen", package: "openssh-client"), .tool("minisign", package: "minisign"),
        .tool("gpgv", package: "gpgv"), .tool("gpg", package: "gnupg"), .tool("openssl", package: "openssl"),
    ]

    /// A served lab whose rules ask for signatures of two operators' keys, in the folder `keys`.
    private func with(
        _ rules: [String], _ body: (NetworkLab, ProvisionerServer, URL) async throws -> Void
    ) async throws {
        try Requirement.demand(Self.requirements + ProvisionerServer.requirements)
        try await NetworkLab.with { lab in
            let keys = lab.directory.appending(path: "keys")
            try FileManager.default.createDirectory(at: keys, withIntermediateDirectories: false)
            for name in ["alice", "bob"] {
                try await lab.commands.run(
                    ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", keys.appending(path: name).path])
            }
            try await lab.commands.run(
                ["minisign", "-G", "-W", "-p", keys.path + "/rel.pub", "-s", keys.path + "/rel.key"])
            var site = ServedLab.site
            let minisign = try String(contentsOf: keys.appending(path: "rel.pub"), encoding: .utf8)
                .split(whereSeparator: \.isNewline)[1]
            site.trust = [
                "keys:", "  alice: {ssh: \"\(try Self.line("alice.pub", keys))\"}",
                "  bob: {ssh: \"\(try Self.line("bob.pub", keys))\"}", "  rel: {minisign: \"\(minisign)\"}",
                "policies:",
            ]
            site.trust += rules.map { "  - \($0)" }
            let server = try await ProvisionerServer.start(in: lab, site: site.yaml)
            try await body(lab, server, keys)
        }
    }

    private static func line(_ name: String, _ keys: URL) throws -> String {
        try String(contentsOf: keys.appending(path: name), encoding: .utf8)
            .split(separator: " ").prefix(2).joined(separator: " ").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func script(_ lab: NetworkLab) async throws -> String {
        try await ServedLab.curl(lab, "http://10.20.99.1/ipxe/script?mac=\(ServedLab.machine.mac)").output
    }

    @Test func aVersionInQuarantineBootsWhenItIsSignedAndStopsWhenTheKeyIsRevoked() async throws {
        let rule = "{artifacts: [\"*\"], signers: [alice, bob], on_missing: quarantine}"
        try await with([rule]) { lab, server, keys in
            try await ServedLab.pushProfile(lab, server)
            #expect(try await script(lab).contains("os:1: it is in quarantine"))
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/os:1/linux") == "403")
            let missing = try await server.artifactctlResult(["verify", "os:1"])
            #expect(missing.exitCode == 1)
            #expect(missing.output.contains("'initrd' and one more file needs 1 of alice, bob"), "\(missing)")
            #expect(missing.output.contains("there is no signature"))
            #expect(
                try await server.artifactctlResult(["promote", "os:1", "prod"]).standardError.contains("may not boot"))

            for version in ["os:1", "answers:1"] {
                let signed = try await server.artifactctl("sign", version, "--ssh-key", keys.path + "/alice")
                #expect(signed.output.contains("verdict  trusted"), "\(signed)")
            }
            #expect(try await script(lab).contains("kernel "))
            #expect(try await ServedLab.curl(lab, "http://10.20.99.1/os:1/linux").output == "the kernel")
            let shown = try await server.artifactctl("show", "os:1")
            #expect(shown.output.contains("trust   trusted: rule for *: signed by alice"), "\(shown)")
            let verified = try await server.artifactctl("verify", "os:1")
            #expect(verified.output.contains("libcrypto 3."))
            try await server.artifactctl("promote", "os:1", "prod")

            try await server.artifactctl("trust", "revoke", "alice", "--reason", "laptop lost")
            let stopped = try await script(lab)
            #expect(stopped.contains("os:1: ") && !stopped.contains("kernel "), "\(stopped)")
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/os:1/linux") == "403")
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/os:prod/linux") == "403")
            let list = try await server.artifactctl("trust", "ls")
            #expect(list.output.contains("laptop lost"))
            let after = try await server.artifactctlResult(["verify", "os:1"])
            #expect(after.exitCode == 1 && after.output.contains("was revoked on"), "\(after)")

            try await server.artifactctl("sign", "os:1", "--ssh-key", keys.path + "/bob")
            #expect(try await ServedLab.curl(lab, "http://10.20.99.1/os:1/linux").output == "the kernel")
            let log = try await server.artifactctl("audit")
            for words in ["quarantined -> trusted", "trust revoke", "trusted -> quarantined"] {
                #expect(log.output.contains(words), "\(words)")
            }
        }
    }

    @Test func aPushIsRefusedWithoutASignatureAndTakenWithOne() async throws {
        try await with(["{artifacts: [\"*\"], signers: [alice, rel], threshold: 2}"]) { lab, server, keys in
            let linux = try ServedLab.file("linux", Data("the kernel".utf8), lab)
            let refused = try await server.artifactctlResult(["push", "os:1", linux])
            #expect(refused.exitCode == 1)
            #expect(refused.standardError.contains("needs 2 of alice, rel"), "\(refused)")
            let one = try await server.artifactctlResult(["push", "os:1", linux, "--ssh-key", keys.path + "/alice"])
            #expect(one.exitCode == 1)
            try await server.artifactctl(
                "push", "os:1", linux, "--ssh-key", keys.path + "/alice", "--minisign-key", keys.path + "/rel.key")
            #expect(try await server.artifactctl("verify", "os:1").output.contains("signed by alice, rel"))
            // A folder is signed by the index of its pages.
            let folder = lab.directory.appending(path: "tree")
            try FileManager.default.createDirectory(
                at: folder.appending(path: "a"), withIntermediateDirectories: true)
            try Data("x".utf8).write(to: folder.appending(path: "a/x"))
            try await server.artifactctl(
                "push", "tree:1", folder.path, "--ssh-key", keys.path + "/alice", "--minisign-key",
                keys.path + "/rel.key")
            #expect(try await ServedLab.curl(lab, "http://10.20.99.1/tree:1/a/x").output == "x")
        }
    }

    @Test func anAgentSigns() async throws {
        try await with(["{artifacts: [\"*\"], signers: [alice], on_missing: quarantine}"]) { lab, server, keys in
            let linux = try ServedLab.file("linux", Data("the kernel".utf8), lab)
            try await server.artifactctl("push", "os:1", linux)
            let program = try BuiltProducts.artifactctl()
            // ssh-agent ends with the command that it starts. The private key's file is gone.
            let script = """
                ssh-add -q '\(keys.path)/alice' && rm '\(keys.path)/alice' &&
                '\(program)' --socket-placeholder
                """.replacing(
                    "--socket-placeholder",
                    with: "sign os:1 --socket '\(server.socket)' --ssh-key '\(keys.path)/alice.pub'")
            let result = try await lab.commands.result(of: ["ssh-agent", "bash", "-c", script])
            #expect(result.output.contains("verdict  trusted"), "\(result)")
        }
    }

    /// A signature that a distribution would publish: over a list of checksums, by OpenPGP.
    @Test func aSignedListOfChecksumsVouchesForItsFiles() async throws {
        try await with(["{artifacts: [\"debian/*\"], signers: [own-cd, cms], on_missing: quarantine}"]) {
            lab, server, _ in
            let home = "/tmp/pg-\(UInt32.random(in: 0 ... .max))"
            try await CleanupStack.with { cleanup in
                try FileManager.default.createDirectory(
                    atPath: home, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
                await cleanup.add("remove \(home)") {
                    _ = try await CommandRunner.local.result(of: ["gpgconf", "--homedir", home, "--kill", "all"])
                    try FileManager.default.removeItem(atPath: home)
                }
                let gpg = [
                    "gpg", "--homedir", home, "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", "",
                ]
                try await CommandRunner.local.run(gpg + ["--quick-gen-key", "cd@example.net", "rsa2048", "sign"])
                let listed = try await CommandRunner.local.run(gpg + ["--with-colons", "--list-keys"])
                let fingerprint = try #require(
                    listed.lines.first { $0.hasPrefix("fpr:") }?.split(separator: ":").last.map(String.init))
                try await CommandRunner.local.run(gpg + ["--armor", "--output", home + "/cd.asc", "--export"])
                let linux = try ServedLab.file("linux", Data("the kernel".utf8), lab)
                let sums = try await lab.commands.run(["sh", "-c", "cd '\(lab.directory.path)' && sha256sum linux"])
                let list = try ServedLab.file("SHA256SUMS", Data(sums.standardOutput.utf8), lab)
                try await CommandRunner.local.run(gpg + ["--output", list + ".sign", "--detach-sign", list])
                try await server.artifactctl("push", "debian/12:1", linux)
                let unknown = try await server.artifactctl(
                    "sign", "debian/12:1", "--checksums", list, "--signature", list + ".sign")
                #expect(unknown.output.contains("quarantined"), "\(unknown)")
                #expect(unknown.output.contains("the openpgp signature over SHA256SUMS does not count"), "\(unknown)")
                try await server.artifactctl(
                    "trust", "add", "own-cd", "--openpgp", fingerprint, "--keyring", home + "/cd.asc")
                let verified = try await server.artifactctl("verify", "debian/12:1")
                #expect(verified.output.contains("signed by own-cd"), "\(verified)")
                #expect(verified.output.contains("gpgv (GnuPG) "), "\(verified)")

                // Another file than the one that is listed, with the same list and signature.
                let other = try ServedLab.file("linux", Data("another kernel".utf8), lab)
                try await server.artifactctl(
                    "push", "debian/12:2", other, "--checksums", list, "--signature", list + ".sign")
                let refused = try await server.artifactctlResult(["verify", "debian/12:2"])
                #expect(refused.exitCode == 1)
                #expect(refused.output.contains("'SHA256SUMS' has another hash or size for 'linux'"), "\(refused)")
            }
        }
    }

    /// Made elsewhere, with openssl, over the bytes that `show --manifest` prints.
    @Test func aSignatureThatWasMadeElsewhereIsHandedIn() async throws {
        try await with(["{artifacts: [\"*\"], signers: [cms, cosign], threshold: 2, on_missing: quarantine}"]) {
            lab, server, keys in
            let linux = try ServedLab.file("linux", Data("the kernel".utf8), lab)
            try await server.artifactctl("push", "os:1", linux)
            let manifest = try await server.artifactctl("show", "os:1", "--manifest").standardOutput
            let file = try ServedLab.file("manifest.json", Data(manifest.utf8), lab)
            let place = keys.path
            try await lab.commands.run([
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", place + "/cms.key", "-out",
                place + "/cms.crt", "-days", "30", "-subj", "/CN=release",
            ])
            try await lab.commands.run([
                "openssl", "cms", "-sign", "-binary", "-in", file, "-signer", place + "/cms.crt", "-inkey",
                place + "/cms.key", "-outform", "PEM", "-out", place + "/manifest.cms",
            ])
            try await lab.commands.run([
                "sh", "-c",
                """
                cd '\(place)' && openssl ecparam -name prime256v1 -genkey -noout -out cosign.key &&
                openssl ec -in cosign.key -pubout -out cosign.pub 2>/dev/null &&
                openssl dgst -sha256 -sign cosign.key '\(file)' | base64 -w0 >manifest.sig
                """,
            ])
            try await server.artifactctl("trust", "add", "cms", "--x509", place + "/cms.crt")
            try await server.artifactctl("trust", "add", "cosign", "--cosign", place + "/cosign.pub")
            let result = try await server.artifactctl(
                "sign", "os:1", "--signature", "manifest=\(place)/manifest.cms", "--signature",
                "manifest=\(place)/manifest.sig")
            #expect(result.output.contains("signed by cms, cosign"), "\(result)")
        }
    }
}
