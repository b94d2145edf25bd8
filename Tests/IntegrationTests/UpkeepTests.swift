import Foundation
import TestSupport
import Testing

/// Collection and scrub against the running server.
@Suite struct UpkeepTests {
    @Test func aDryRunTellsAndACollectionKeepsWhatIsNeeded() async throws {
        try await ServedLab.with(arguments: ["--gc-grace", "0"]) { lab, server in
            let file = try ServedLab.file("linux", Data("kernel".utf8), lab)
            try await server.artifactctl("push", "debian:1", file)
            try await server.artifactctl("rm", "debian:1")
            let dry = try await server.artifactctl("gc", "--dry-run")
            #expect(dry.output.contains("needed by a manifest"))
            let row = try #require(dry.lines.first { $0.contains("needed by a manifest") })
            // The manifest stays without its tag, and with it what it lists.
            #expect(row.split(whereSeparator: \.isWhitespace).contains("3"), "\(dry)")
            try await server.artifactctl("gc")
            #expect(try await server.artifactctl("push", "debian:2", file).output.contains("debian:2"))
            #expect(try await ServedLab.curl(lab, "http://10.20.99.1/debian:2/linux").output == "kernel")
        }
    }

    /// A bit rots while the server is down; the scrub finds it, nobody is given it, a push mends it.
    @Test func aRottenBlobIsNotServedUntilItIsPushedAgain() async throws {
        try await ServedLab.with { lab, first in
            let bytes = ServedLab.bytes(300_000)
            let file = try ServedLab.file("linux", bytes, lab)
            try await first.artifactctl("push", "debian:1", file)
            await first.program.stop()
            let digest = (try await lab.run(["sha256sum", file])).output.prefix(64)
            let path = first.dataDirectory.appending(
                path: "blobs/sha256/\(digest.prefix(2))/\(digest.dropFirst(2).prefix(2))/\(digest)"
            ).path
            try await lab.run([
                "sh", "-c", "chmod u+w \(path) && printf X | dd of=\(path) bs=1 seek=777 conv=notrunc status=none",
            ])
            let server = try await ProvisionerServer.start(
                in: lab, siteFile: first.siteFile, arguments: ["--scrub-rate", "1000"], name: "second")
            var found = try await server.artifactctlResult(["scrub"])
            for _ in 0..<120 where found.exitCode == 0 {
                try await Task.sleep(for: .seconds(1))
                found = try await server.artifactctlResult(["scrub"])
            }
            #expect(found.exitCode == 1)
            #expect(found.standardOutput.contains("debian:1"), "\(found)")
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/debian:1/linux") == "500")
            try await server.artifactctl("push", "debian:1", file)
            let served = lab.directory.appending(path: "served").path
            _ = try await ServedLab.curl(lab, "-o", served, "http://10.20.99.1/debian:1/linux")
            try await lab.run(["cmp", file, served])
            #expect(try await server.artifactctlResult(["scrub"]).exitCode == 0)
        }
    }
}

/// The drills that an operator hopes never to need.
@Suite struct DisasterTests {
    private func provisioner(_ lab: NetworkLab, _ arguments: String...) async throws -> CommandResult {
        try await lab.commands.result(of: [try BuiltProducts.provisioner()] + arguments)
    }

    /// Backup while the server runs, everything lost, restore, and the machine that was installed stays installed.
    @Test func everythingComesBackFromABackup() async throws {
        try await ServedLab.with { lab, server in
            try await ServedLab.pushProfile(lab, server)
            try await server.artifactctl("promote", "os:1", "prod")
            let script = try await ServedLab.curl(
                lab, "http://10.20.99.1/ipxe/script?mac=\(ServedLab.machine.mac)&platform=pcbios")
            let report = try #require(script.output.firstMatch(of: /http:\S+\/hosts\/[^\s\/]+/)).output
            let path = report.split(separator: "/").suffix(2).joined(separator: "/")
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/\(path)/installed") == "200")
            #expect(try await server.host("hv01").state == "installed")

            let backup = lab.directory.appending(path: "backup").path
            let data = server.dataDirectory.path
            let first = try await provisioner(lab, "backup", backup, "--data", data)
            #expect(first.succeeded, "\(first)")
            let second = try await provisioner(lab, "backup", backup, "--data", data)
            #expect(second.output.contains("0 blobs of 0 bytes copied"), "\(second)")

            await server.program.stop()
            try FileManager.default.removeItem(atPath: data)
            let restored = try await provisioner(lab, "restore", backup, "--data", data)
            #expect(restored.succeeded, "\(restored)")
            let again = try await ProvisionerServer.start(in: lab, siteFile: server.siteFile, name: "again")
            #expect(try await ServedLab.curl(lab, "http://10.20.99.1/os:prod/linux").output == "the kernel")
            #expect(try await again.host("hv01").state == "installed")
            try await again.artifactctl("audit", "verify")
            let over = try await provisioner(lab, "restore", backup, "--data", data)
            #expect(over.exitCode == 1)
            #expect(over.standardError.contains("holds a store"))
        }
    }

    @Test func aLostCatalogIsMadeAnew() async throws {
        try await ServedLab.with { lab, server in
            try await ServedLab.pushProfile(lab, server)
            let data = server.dataDirectory.path
            let busy = try await provisioner(lab, "reindex", "--data", data)
            #expect(busy.exitCode == 1)
            #expect(busy.standardError.contains("in use"), "\(busy)")
            await server.program.stop()
            let done = try await provisioner(lab, "reindex", "--data", data)
            #expect(done.succeeded, "\(done)")
            _ = try await ProvisionerServer.start(in: lab, siteFile: server.siteFile, name: "again")
            #expect(try await ServedLab.curl(lab, "http://10.20.99.1/os:1/linux").output == "the kernel")
        }
    }

    @Test func aBackupIntoItselfIsWrongUsage() async throws {
        for target in ["/x", "/x/y", "/x/../x"] {
            let result = try await CommandRunner.local.result(of: [
                try BuiltProducts.provisioner(), "backup", target, "--data", "/x",
            ])
            #expect(result.exitCode == 2, "\(result)")
        }
    }
}
