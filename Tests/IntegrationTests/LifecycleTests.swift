import Foundation
import TestSupport
import Testing

/// Start, reload, stop, crash.
@Suite struct LifecycleTests {
    @Test func aBadSiteFileIsReportedAndTheOldOneStays() async throws {
        try await ServedLab.with { lab, server in
            try await ServedLab.pushProfile(lab, server)
            let ask = "http://10.20.99.1/ipxe/script?mac=52-54-00-20-99-21"
            let good = ServedLab.site.yaml
            try Data(good.replacingOccurrences(of: "gateway: 10.20.99.1", with: "gatway: 10.20.99.1").utf8)
                .write(to: server.siteFile)
            try await server.program.waitForLine(containing: "did you mean 'gateway'?", timeout: .seconds(10))
            try await server.program.waitForLine(containing: "stays in use", timeout: .seconds(10))
            #expect(try await ServedLab.curl(lab, ask).output.contains("kernel --name linux"))

            try Data(good.replacingOccurrences(of: "boot: once", with: "boot: local").utf8).write(to: server.siteFile)
            try await server.program.waitForLine(containing: "is in use", timeout: .seconds(10))
            #expect(try await ServedLab.curl(lab, ask).output.contains("booting the local disk"))
        }
    }

    @Test func readinessIsAnnounced() async throws {
        try Requirement.demand(ProvisionerServer.requirements + [.tool("socat", package: "socat")])
        try await NetworkLab.with { lab in
            let socket = lab.directory.appending(path: "notify").path
            let listener = try await lab.start(["socat", "-u", "UNIX-RECV:\(socket)", "STDOUT"], log: "notify.log")
            for _ in 0..<100 where !FileManager.default.fileExists(atPath: socket) {
                try await Task.sleep(for: .milliseconds(50))
            }
            let siteFile = lab.directory.appending(path: "site.yaml")
            try Data(ServedLab.site.yaml.utf8).write(to: siteFile)
            _ = try await lab.start(
                [
                    "env", "NOTIFY_SOCKET=\(socket)", try BuiltProducts.provisioner(), "serve", "--site", siteFile.path,
                    "--data", lab.directory.path + "/data", "--control-socket", lab.directory.path + "/control.sock",
                ], log: "daemon.log")
            try await listener.waitForLine(containing: "READY=1", timeout: .seconds(60))
        }
    }

    @Test func sighupReloads() async throws {
        try await ServedLab.with { lab, server in
            try await lab.run(["kill", "-HUP", String(server.program.processID)])
            try await server.program.waitForLine(containing: "is unchanged", timeout: .seconds(10))
            #expect(server.program.isRunning)
        }
    }

    @Test func aSiteFileWithAnErrorDoesNotStart() async throws {
        try await TemporaryDirectory.with { directory in
            let file = directory.appending(path: "site.yaml")
            try Data("schema: provisioner.site/1\nroot_domain: deevnet.net\nsubstrats: {}\n".utf8).write(to: file)
            let result = try await CommandRunner.local.result(of: [
                try BuiltProducts.provisioner(), "serve", "--site", file.path, "--data", directory.path + "/data",
            ])
            #expect(result.exitCode == 1)
            #expect(
                result.standardError.contains(
                    "\(file.path):3:1: error: unknown key 'substrats': did you mean 'substrates'?"))
            #expect(!FileManager.default.fileExists(atPath: directory.path + "/data"))
        }
    }

    @Test func whatWasAcknowledgedSurvivesAKill() async throws {
        try await ServedLab.with { lab, server in
            try await ServedLab.pushProfile(lab, server)
            let ask = "http://10.20.99.1/ipxe/script?mac=52-54-00-20-99-21"
            let script = try await ServedLab.curl(lab, ask).output
            let word = try #require(script.split(separator: " ").first { $0.hasPrefix("url=") }).dropFirst(4)
            let installed = word.replacingOccurrences(of: "pxe.dvntm.deevnet.net", with: "10.20.99.1")
                .replacingOccurrences(of: "/answer", with: "/installed")
            #expect(try await ServedLab.status(lab, installed) == "200")
            try await lab.run(["kill", "-KILL", String(server.program.processID)])
            _ = try await server.program.waitForExit(timeout: .seconds(10))

            let again = try await ProvisionerServer.start(in: lab, siteFile: server.siteFile, name: "again")
            try await again.program.waitForLine(containing: "answering DNS and DHCP", timeout: .seconds(20))
            #expect(try await again.host("hv01").state == "installed")
            #expect(try await ServedLab.curl(lab, "http://10.20.99.1/os:1/linux").output == "the kernel")
            #expect(try await ServedLab.curl(lab, ask).output.contains("booting the local disk"))
            // The dnsmasq that the killed one left is gone: one answers.
            #expect(try await lab.run(["ss", "-lunpH", "sport = :67"]).lines.count == 1)
        }
    }

    @Test func aKillDuringAPushLosesNothingAndThePushGoesThroughAgain() async throws {
        try await ServedLab.with { lab, server in
            let file = try ServedLab.file("big", ServedLab.bytes(64_000_000), lab)
            let push = try await lab.start(
                ["env", "PROVISIONER_SOCKET=\(server.socket)", try BuiltProducts.artifactctl(), "push", "big:1", file],
                log: "push.log")
            try await push.waitForLine(containing: "send big", timeout: .seconds(60))
            try await lab.run(["kill", "-KILL", String(server.program.processID)])
            _ = try await server.program.waitForExit(timeout: .seconds(10))
            await push.stop()
            let again = try await ProvisionerServer.start(in: lab, siteFile: server.siteFile, name: "again")
            try await again.artifactctl("push", "big:1", file)
            let out = lab.directory.appending(path: "out").path
            try await again.artifactctl("pull", "big:1", "-o", out)
            try await lab.run(["cmp", file, out + "/big"])
        }
    }

    @Test func aSecondDaemonOnTheSameDataIsRefused() async throws {
        try await ServedLab.with { lab, server in
            let second = try await lab.commands.result(of: [
                try BuiltProducts.provisioner(), "serve", "--site", server.siteFile.path, "--data",
                server.dataDirectory.path,
                "--control-socket", lab.directory.path + "/other.sock", "--boot-http", "127.0.0.1:8080", "--tftp",
                "127.0.0.1:6969", "--syslog", "127.0.0.1:5514",
            ])
            #expect(second.exitCode == 1)
            #expect(second.standardError.contains("in use by another provisioner"))
            #expect(server.program.isRunning)
        }
    }

    @Test func whatCannotBeHadIsNamedByItsOption() async throws {
        try await ServedLab.with { lab, server in
            func serve(_ arguments: String...) async throws -> CommandResult {
                try await lab.commands.result(
                    of: [
                        try BuiltProducts.provisioner(), "serve", "--site", server.siteFile.path, "--data",
                        lab.directory.path + "/other", "--control-socket", lab.directory.path + "/other.sock",
                    ] + arguments)
            }
            let taken = try await serve()
            #expect(taken.exitCode == 1)
            #expect(taken.standardError.contains("--boot-http 0.0.0.0:80: Address already in use"), "\(taken)")
            let typo = try await serve("--authority", "dvnt=off")
            #expect(typo.exitCode == 2)
            #expect(typo.standardError.contains("no substrate 'dvnt'; it has: dvntm"))
            let token = try await serve("--token-file", "/does/not/exist")
            #expect(token.standardError.contains("/does/not/exist cannot be read"))
        }
    }

    @Test func sigtermLetsARunningDownloadEnd() async throws {
        try await ServedLab.with { lab, server in
            let file = try ServedLab.file("big", ServedLab.bytes(40_000_000), lab)
            try await server.artifactctl("push", "big:1", file)
            let out = lab.directory.appending(path: "out").path
            let download = try await lab.start(
                ["curl", "-sS", "--limit-rate", "10M", "-o", out, "http://10.20.99.1/big:1/big"], log: "curl.log")
            for _ in 0..<200 where !FileManager.default.fileExists(atPath: out) {
                try await Task.sleep(for: .milliseconds(20))
            }
            try await lab.run(["kill", "-TERM", String(server.program.processID)])
            _ = try await server.program.waitForExit(timeout: .seconds(30))
            #expect(server.program.exitCode == 0)
            _ = try await download.waitForExit(timeout: .seconds(30))
            #expect(download.exitCode == 0)
            try await lab.run(["cmp", file, out])
        }
    }

    @Test func armingSaysWhatItDoes() async throws {
        try await ServedLab.with { _, server in
            #expect(try await server.host("hv01").state == "expected")
            try await server.artifactctl("host", "arm", "52:54:00:20:99:21")
            #expect(try await server.host("hv01").state == "armed")
            let useless = try await server.artifactctlResult(["host", "arm", "provisioner-ph01"])
            #expect(useless.exitCode == 1)
            #expect(useless.standardError.contains("boots its disk by assignment"))
        }
    }

    @Test func aControlSocketThatIsInUseIsLeftAlone() async throws {
        try await ServedLab.with { lab, server in
            func serve(_ socket: String) async throws -> CommandResult {
                try await lab.commands.result(of: [
                    try BuiltProducts.provisioner(), "serve", "--site", server.siteFile.path, "--data",
                    lab.directory.path + "/other", "--control-socket", socket, "--boot-http", "127.0.0.1:8080",
                    "--tftp", "127.0.0.1:6969", "--syslog", "127.0.0.1:5514", "--authority", "dvntm=off",
                ])
            }
            let second = try await serve(server.socket)
            #expect(second.exitCode == 1)
            #expect(second.standardError.contains("another program answers there"))
            let third = try await serve(server.siteFile.path)
            #expect(third.exitCode == 1)
            #expect(third.standardError.contains("something else lies there"))
            try await server.artifactctl("ls")
            #expect(FileManager.default.fileExists(atPath: server.siteFile.path))
        }
    }

    @Test func aFullDiskIsToldWithNumbersAndThePushGoesOnLater() async throws {
        try await NetworkLab.with { lab in
            try Requirement.demand(ProvisionerServer.requirements)
            let data = lab.directory.appending(path: "data").path
            // The mount lives in the daemon's own mount namespace: nothing of it is left.
            let siteFile = lab.directory.appending(path: "site.yaml")
            try Data(ServedLab.site.yaml.utf8).write(to: siteFile)
            let socket = lab.directory.path + "/control.sock"
            let daemon = try await lab.start(
                [
                    "unshare", "--mount", "sh", "-c",
                    "mkdir -p \(data) && mount -t tmpfs -o size=48m none \(data) && exec \"$@\"", "sh",
                    try BuiltProducts.provisioner(), "serve", "--site", siteFile.path, "--data", data,
                    "--control-socket", socket,
                    "--reserve", "4",
                ], log: "daemon.log")
            try await daemon.waitForLine(containing: "ready:", timeout: .seconds(60))
            func push(_ arguments: String...) async throws -> CommandResult {
                try await lab.commands.result(
                    of: ["env", "PROVISIONER_SOCKET=\(socket)", try BuiltProducts.artifactctl(), "push"] + arguments)
            }
            let small = try ServedLab.file("small", ServedLab.bytes(1_000_000), lab)
            let large = try ServedLab.file("large", ServedLab.bytes(60_000_000), lab)
            let first = try await push("a:1", small)
            #expect(first.succeeded, "\(first)")
            let refused = try await push("b:1", large)
            #expect(refused.exitCode == 1)
            #expect(refused.standardError.contains("no space"))
            #expect(refused.standardError.contains("507"))
            let third = try await push("c:1", small)
            #expect(third.succeeded, "\(third)")
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/a:1/small") == "200")
        }
    }

    @Test func explainNeedsNoDaemon() async throws {
        try await ServedLab.with { lab, server in
            try await ServedLab.pushProfile(lab, server)
            await server.program.stop()
            func explain(_ arguments: String...) async throws -> CommandResult {
                try await lab.commands.result(
                    of: [
                        try BuiltProducts.provisioner(), "explain", "--site", server.siteFile.path, "--data",
                        server.dataDirectory.path,
                    ] + arguments)
            }
            let known = try await explain("--mac", "52:54:00:20:99:21", "--arch", "x86_64")
            #expect(known.output.contains("boot profile installer (once)"))
            #expect(known.output.contains("MAC 52:54:00:20:99:21 is host hv01"))
            #expect(known.output.contains("kernel --name linux http://artifacts.dvntm.deevnet.net/os:1/linux"))
            let unknown = try await explain("--mac", "52:54:00:00:00:01")
            #expect(unknown.succeeded)
            #expect(unknown.output.contains("boot the local disk"))
            #expect(try await explain("--mac", "nonsense").exitCode == 2)
            #expect(try await explain().exitCode == 2)
        }
    }
}
