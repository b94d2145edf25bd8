import Foundation
import TestSupport
import Testing

/// Tokens: what they open and what they do not.
@Suite struct TokenTests {
    private static let place = "https://10.20.99.1"

    /// The digest of the file that the test pushes.
    private static let k = "sha256:8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a"

    private func token(_ server: ProvisionerServer, _ arguments: String...) async throws -> String {
        let result = try await server.artifactctlResult(["token", "create"] + arguments)
        guard result.succeeded else { throw TestSupportError(.commandFailed, "\(result)") }
        return result.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func status(_ lab: NetworkLab, _ token: String, _ arguments: String...) async throws -> String {
        try await lab.commands.result(
            of: [
                "curl", "-sSk", "--max-time", "30", "-o", "/dev/null", "-w", "%{http_code}", "-H",
                "Authorization: Bearer \(token)",
            ] + arguments
        ).output
    }

    @Test func aTokenOpensWhatItsScopesSay() async throws {
        try await ServedLab.with(arguments: LoginTests.control) { lab, server in
            let file = try ServedLab.file("linux", Data("k".utf8), lab)
            for name in ["debian/base:1", "other:1"] { try await server.artifactctl("push", name, file) }
            let reader = try await token(server, "reader", "--scope", "debian/*:pull")
            let writer = try await token(server, "ci", "--scope", "debian/*:pull,push", "--expires", "1h")

            let base = Self.place + "/v2"
            #expect(try await status(lab, reader, "\(base)/debian/base/manifests/1") == "200")
            #expect(try await status(lab, reader, "\(base)/other/manifests/1") == "403")
            #expect(try await status(lab, reader, "-X", "POST", "\(base)/debian/base/blobs/uploads/") == "403")
            #expect(try await status(lab, writer, "-X", "POST", "\(base)/debian/base/blobs/uploads/") == "202")
            #expect(try await status(lab, writer, "-X", "DELETE", "\(base)/debian/base/manifests/1") == "403")
            #expect(try await status(lab, writer, "-X", "DELETE", "\(base)/debian/base/blobs/\(Self.k)") == "403")
            let state = try await lab.commands.result(of: [
                "curl", "-sSk", "-H", "Authorization: Bearer \(writer)", "\(Self.place)/api/v1/status",
            ])
            #expect(state.output.contains("\"boots\":[]") && !state.output.contains("dvntm"), "\(state)")
            // Moving a channel takes more than pushing.
            try await server.artifactctl("promote", "debian/base:1", "prod")
            let manifest = try await lab.commands.result(of: [
                "curl", "-sSk", "-H", "Authorization: Bearer \(reader)", "\(base)/debian/base/manifests/1",
            ])
            let body = try ServedLab.file("m.json", Data((manifest.output + " ").utf8), lab)
            let put = ["-X", "PUT", "-H", "Content-Type: \(RegistryClient.manifestType)", "--data-binary", "@\(body)"]
            let moved = try await lab.commands.result(
                of: ["curl", "-sSk", "-H", "Authorization: Bearer \(writer)"] + put
                    + ["\(base)/debian/base/manifests/prod"])
            #expect(moved.output.contains("right to promote"), "\(moved)")
            for path in ["hosts", "tokens", "audit"] {
                #expect(try await status(lab, writer, "\(Self.place)/api/v1/\(path)") == "403", "\(path)")
            }
            // A blob of a name that the token may not read is not mounted, even by who knows its digest.
            let digest = Self.k
            for source in ["", "&from=other"] {
                let mount = "\(base)/debian/new/blobs/uploads/?mount=\(digest)\(source)"
                let isReadable = source.isEmpty
                #expect(try await status(lab, writer, "-X", "POST", mount) == (isReadable ? "201" : "202"))
            }
            let list = try await lab.commands.result(of: [
                "curl", "-sSk", "-H", "Authorization: Bearer \(reader)", "\(Self.place)/api/v1/artifacts",
            ])
            #expect(list.output.contains("debian/base") && !list.output.contains("other"), "\(list)")

            // Registry clients send it as a password.
            let basic = try await lab.commands.result(of: [
                "curl", "-sSk", "-u", "anybody:\(reader)", "-o", "/dev/null", "-w", "%{http_code}",
                "\(base)/debian/base/manifests/1",
            ])
            #expect(basic.output == "200")
            let asked = try await lab.commands.result(of: ["curl", "-sSk", "-D", "-", "\(base)/"])
            #expect(asked.output.lowercased().contains("www-authenticate: basic"))

            let listed = try await server.artifactctl("token", "ls")
            #expect(listed.output.contains("debian/*:pull,push"))
            #expect(!listed.output.contains(reader))
            let id = try #require(listed.lines.first { $0.contains("reader") }?.split(separator: " ").first)
            try await server.artifactctl("token", "revoke", String(id))
            #expect(try await status(lab, reader, "\(base)/debian/base/manifests/1") == "401")
            #expect(try await status(lab, writer, "\(base)/debian/base/manifests/1") == "200")
            let audit = try await server.artifactctl("audit")
            #expect(audit.output.contains("create token") && audit.output.contains("revoke token"))
            #expect(!server.program.log.text.contains(writer))
        }
    }

    @Test func whoGuessesHasToWaitAndOthersHaveNot() async throws {
        try await ServedLab.with(arguments: LoginTests.control) { lab, server in
            let good = try await token(server, "good", "--scope", "*:pull")
            // Asking without a token is no guess: registry clients begin so.
            for _ in 0..<15 { #expect(try await ServedLab.status(lab, "-k", Self.place + "/v2/") == "401") }
            for _ in 0..<10 { #expect(try await status(lab, "guess", Self.place + "/v2/") == "401") }
            #expect(try await status(lab, "guess", Self.place + "/v2/") == "429")
            #expect(
                try await ServedLab.status(lab, "-k", "-X", "POST", "-d", "{}", Self.place + "/api/v1/login") == "429")
            // One job with an old token does not stop the others behind its address.
            #expect(try await status(lab, good, Self.place + "/v2/") == "200")
            #expect(
                try await status(lab, "guess", "--interface", "127.0.0.1", "https://127.0.0.1/v2/") == "401")
            #expect(try await server.artifactctl("ls").succeeded)
        }
    }

    /// The socket's file mode lets others try; the kernel says who they are.
    @Test func anotherUserMayNotUseTheSocket() async throws {
        try Requirement.demand([.tool("setpriv", package: "util-linux")])
        try await ServedLab.with { lab, server in
            let socket = server.socket
            // The lab's directory is closed to others too: opened here, so that only the check itself is tried.
            var folder = URL(filePath: socket).deletingLastPathComponent()
            while folder.path.count > 4 {
                try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
                folder = folder.deletingLastPathComponent()
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: socket)
            let result = try await lab.commands.result(of: [
                "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "curl", "-sS", "--unix-socket",
                socket, "http://x/v2/",
            ])
            #expect(result.output.contains("user nobody may not use"), "\(result)")
        }
    }

    /// A certificate of the operator's own authority in place of a token; one of another authority is worth nothing.
    @Test func aClientsCertificateOpensWhatItsScopesSay() async throws {
        try Requirement.demand(ProvisionerServer.requirements + [.tool("openssl", package: "openssl")])
        try await NetworkLab.with { lab in
            let folder = lab.directory.path
            for authority in ["ours", "theirs"] {
                let subject = ["-subj", "/CN=\(authority)"]
                let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
                try await lab.run(
                    ["openssl", "req", "-x509", "-days", "2", "-keyout", "\(folder)/\(authority).key", "-out"]
                        + ["\(folder)/\(authority).crt"] + subject + key)
                try await lab.run(
                    ["openssl", "req", "-keyout", "\(folder)/\(authority)-client.key", "-out"]
                        + ["\(folder)/\(authority).csr", "-subj", "/CN=builder"] + key)
                try await lab.run(
                    ["openssl", "x509", "-req", "-days", "2", "-in", "\(folder)/\(authority).csr", "-CA"]
                        + ["\(folder)/\(authority).crt", "-CAkey", "\(folder)/\(authority).key", "-out"]
                        + ["\(folder)/\(authority)-client.crt"])
            }
            let server = try await ProvisionerServer.start(
                in: lab, site: ServedLab.site.yaml,
                arguments: LoginTests.control + [
                    "--client-ca", "\(folder)/ours.crt", "--client-scope", "debian/*:pull,push,delete",
                ])
            let file = try ServedLab.file("linux", Data("k".utf8), lab)
            try await server.artifactctl("push", "debian/base:1", file)
            let base = "\(Self.place)/v2/debian/base"
            func certified(_ authority: String, _ arguments: String...) async throws -> CommandResult {
                try await lab.commands.result(
                    of: ["curl", "-sSk", "-o", "/dev/null", "-w", "%{http_code}", "--cert"]
                        + ["\(folder)/\(authority)-client.crt", "--key", "\(folder)/\(authority)-client.key"]
                        + arguments)
            }
            #expect(try await certified("ours", "\(base)/manifests/1").output == "200")
            #expect(try await certified("ours", "\(Self.place)/v2/other/manifests/1").output == "403")
            #expect(try await certified("ours", "\(Self.place)/api/v1/hosts").output == "403")
            #expect(try await certified("ours", "-X", "DELETE", "\(base)/manifests/1").output == "202")
            #expect(try await server.artifactctl("audit").output.contains("certificate builder"))
            #expect(try await certified("theirs", "\(base)/manifests/1").output != "200")
            #expect(try await ServedLab.status(lab, "-k", "\(base)/manifests/1") == "401")
            // A token that is sent counts, not the certificate beside it.
            let wrong = try await certified("ours", "-H", "Authorization: Bearer wrong", "\(base)/manifests/1")
            #expect(wrong.output == "401")
        }
    }

    @Test(arguments: [
        ["create", "x"], ["create", "x", "--scope", "a:fly"],
        ["create", "x", "--scope", "a:pull", "--expires", "soon"],
        ["create", "x", "--scope", "a:pull", "--expires", "20000d"], ["revoke", "nobody"],
    ])
    func wrongUsageIsTold(arguments: [String]) async throws {
        let result = try await CommandRunner.local.result(of: [try BuiltProducts.artifactctl(), "token"] + arguments)
        #expect(result.exitCode == 2, "\(result)")
    }
}
