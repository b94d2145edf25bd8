import Foundation
import TestSupport
import Testing

/// Registry clients of others, unchanged, over the encrypted listener with a token as their password.
@Suite struct RegistryClientTests {
    private static let host = "10.20.99.1"

    private struct Account {
        var token: String
        /// A folder with the server's certificate as `ca.crt`, as containers-certs.d(5) has it.
        var certificates: String
    }

    private func with(_ body: (NetworkLab, ProvisionerServer, Account) async throws -> Void) async throws {
        try await ServedLab.with(arguments: LoginTests.control) { lab, server in
            let created = try await server.artifactctl("token", "create", "ci", "--scope", "images/*:pull,push,delete")
            let folder = lab.directory.appending(path: "certificates")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                at: server.dataDirectory.appending(path: "control.crt"), to: folder.appending(path: "ca.crt"))
            let token = created.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
            try await body(lab, server, Account(token: token, certificates: folder.path))
        }
    }

    @Test func buildahPushesAnImageAndPullsItAgain() async throws {
        try Requirement.demand([.tool("buildah", package: "buildah")])
        try await with { lab, server, account in
            let common = ["--root", lab.directory.path + "/containers", "--runroot", lab.directory.path + "/run"]
            func buildah(_ arguments: String...) async throws -> CommandResult {
                try await lab.commands.run(
                    ["env", "STORAGE_DRIVER=vfs", "BUILDAH_ISOLATION=chroot", "buildah"] + common + arguments,
                    timeLimit: .seconds(120))
            }
            let file = try ServedLab.file("content", ServedLab.bytes(200_000), lab)
            let container = try await buildah("from", "scratch").output
            _ = try await buildah("copy", container, file, "/content")
            _ = try await buildah("commit", "-q", container, "built")
            let place = "docker://\(Self.host)/images/built:1"
            let access = ["--creds", "ci:\(account.token)", "--cert-dir", account.certificates]
            _ = try await lab.commands.run(
                ["env", "STORAGE_DRIVER=vfs", "buildah"] + common + ["push"] + access + ["built", place],
                timeLimit: .seconds(120))
            #expect(try await server.artifactctl("ls").output.contains("images/built:1"))
            _ = try await buildah("rmi", "-a", "-f")
            let pulled = try await lab.commands.run(
                ["env", "STORAGE_DRIVER=vfs", "buildah"] + common + ["pull", "-q"] + access + [place],
                timeLimit: .seconds(120))
            #expect(!pulled.output.isEmpty)
            // Outside its scope the token opens nothing.
            let refused = try await lab.commands.result(
                of: ["env", "STORAGE_DRIVER=vfs", "buildah"] + common + ["push"] + access
                    + [pulled.output, "docker://\(Self.host)/other:1"], timeLimit: .seconds(120))
            #expect(!refused.succeeded)
        }
    }

    @Test func skopeoDeletesWhatItCopied() async throws {
        try Requirement.demand([.tool("skopeo", package: "skopeo")])
        try await with { lab, server, account in
            try await ServedLab.pushProfile(lab, server)
            let access = ["--creds", "ci:\(account.token)", "--cert-dir", account.certificates]
            let oci = lab.directory.appending(path: "oci").path
            // A token of ci may not read os: skopeo is told so.
            let denied = try await lab.commands.result(
                of: ["skopeo", "inspect"] + access + ["docker://\(Self.host)/os:1"], timeLimit: .seconds(60))
            #expect(!denied.succeeded)
            let all = try await server.artifactctl("token", "create", "all", "--scope", "*:pull,push,delete")
            let token = all.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
            let wide = ["--creds", "x:\(token)", "--cert-dir", account.certificates]
            try await lab.run(
                [
                    "skopeo", "--insecure-policy", "copy", "--src-creds", "x:\(token)", "--src-cert-dir",
                    account.certificates,
                ]
                    + ["docker://\(Self.host)/os:1", "oci:\(oci):1"])
            try await lab.run(
                [
                    "skopeo", "--insecure-policy", "copy", "--dest-creds", "ci:\(account.token)", "--dest-cert-dir",
                    account.certificates,
                ]
                    + ["oci:\(oci):1", "docker://\(Self.host)/images/os:1"])
            let tags = try await lab.run(["skopeo", "list-tags"] + wide + ["docker://\(Self.host)/images/os"])
            #expect(tags.output.contains("\"1\""))
            try await lab.run(["skopeo", "delete"] + access + ["docker://\(Self.host)/images/os:1"])
            #expect(try await !server.artifactctl("ls").output.contains("images/os:1"))
        }
    }

    /// The Python library that tools are built on.
    @Test func orasPushesFilesAndPullsThem() async throws {
        try Requirement.demand(PythonEnvironment.requirements)
        try await with { lab, server, account in
            let first = try ServedLab.file("linux", ServedLab.bytes(100_000), lab)
            let second = try ServedLab.file("initrd", ServedLab.bytes(50_000, seed: 2), lab)
            let script = try ServedLab.file("push-and-pull.py", Data(Self.script.utf8), lab)
            let output = lab.directory.appending(path: "pulled").path
            let result = try await lab.commands.result(
                of: [
                    "env", "TOKEN=\(account.token)", "REQUESTS_CA_BUNDLE=\(account.certificates)/ca.crt",
                    PythonEnvironment.python, script, "\(Self.host)/images/files:1", output, first, second,
                ], timeLimit: .seconds(120))
            #expect(result.succeeded, "\(result)")
            try await lab.run(["cmp", first, "\(output)/linux"])
            try await lab.run(["cmp", second, "\(output)/initrd"])
            #expect(try await ServedLab.status(lab, "http://\(Self.host)/images/files:1/linux") == "200")
        }
    }

    private static let script = """
        import os, sys
        import oras.client
        target, output, files = sys.argv[1], sys.argv[2], sys.argv[3:]
        os.chdir(os.path.dirname(files[0]))
        client = oras.client.OrasClient(hostname=target.split("/")[0], auth_backend="basic")
        client.auth.set_basic_auth("ci", os.environ["TOKEN"])
        client.push(target=target, files=[os.path.basename(f) for f in files])
        client.pull(target=target, outdir=output)
        """
}

/// Python packages for tests, in an environment of their own that the Makefile makes.
enum PythonEnvironment {
    static var python: String { TestOutput.repository.appending(path: ".build/python/bin/python3").path }

    static var requirements: [Requirement] {
        [.file(URL(filePath: python), package: "make .build/python/bin/packages-are-there")]
    }
}
