import Foundation
import TestSupport
import Testing

@Suite struct PushPullTests {
    struct Pushed: Decodable {
        struct File: Decodable {
            let path: String
            let digest: String
            let sent: Bool
        }
        let digest: String
        let files: [File]
    }

    @Test func pulledFilesAreThePushedOnes() async throws {
        try await ServedLab.with { lab, server in
            let big = try ServedLab.file("big.img", ServedLab.bytes(20_000_000), lab)
            let empty = try ServedLab.file("empty", Data(), lab)
            try await server.artifactctl("push", "mirror/os:1.0", big, "deep/er/empty=\(empty)")
            let out = lab.directory.appending(path: "out").path
            try await server.artifactctl("pull", "mirror/os:1.0", "-o", out)
            try await lab.run(["cmp", big, out + "/big.img"])
            try await lab.run(["cmp", empty, out + "/deep/er/empty"])
            #expect(try await server.artifactctl("ls").output.contains("mirror/os:1.0"))
            #expect(try await server.artifactctl("show", "mirror/os:1.0").output.contains("deep/er/empty"))
            let one = lab.directory.appending(path: "one").path
            try await server.artifactctl("pull", "mirror/os:1.0/deep/er/empty", "-o", one)
            #expect(try FileManager.default.contentsOfDirectory(atPath: one) == ["deep"])
        }
    }

    @Test func memoryDoesNotGrowWithTheFile() async throws {
        try await ServedLab.with { lab, server in
            func peak() async throws -> Int {
                let status = try await lab.run(["grep", "VmHWM", "/proc/\(server.program.processID)/status"]).output
                return try #require(Int(status.filter(\.isNumber)))
            }
            let small = try ServedLab.file("small", ServedLab.bytes(1_000_000), lab)
            try await server.artifactctl("push", "small:1", small)
            let before = try await peak()
            let large = lab.directory.appending(path: "large").path
            try await lab.run(["truncate", "-s", "400M", large])
            try await server.artifactctl("push", "large:1", large)
            let out = lab.directory.appending(path: "out").path
            try await server.artifactctl("pull", "large:1", "-o", out)
            try await lab.run(["curl", "-sS", "-o", "/dev/null", "http://10.20.99.1/large:1/large"])
            // In KiB: a tenth of the file would already be a buffer that grows with it.
            #expect(try await peak() - before < 40_000)
        }
    }

    /// A file that is hashed while it is sent, and written to meanwhile, is not published.
    @Test func aFileThatChangesWhileItIsSentIsRefused() async throws {
        try await ServedLab.with { lab, server in
            let file = lab.directory.appending(path: "busy").path
            try await lab.run(["truncate", "-s", "100M", file])
            let writer = try await lab.start(
                ["bash", "-c", "while :; do printf x | dd of=\(file) bs=1 seek=7 conv=notrunc status=none; done"],
                log: "writer.log")
            let result = try await server.artifactctlResult(["push", "busy:1", file])
            await writer.stop()
            #expect(result.exitCode == 1 && result.standardError.contains("has changed while it was sent"), "\(result)")
            #expect(try await !server.artifactctl("ls").output.contains("busy:1"))
            try await server.artifactctl("push", "busy:1", file)
        }
    }

    @Test func aSecondPushSendsNothing() async throws {
        try await ServedLab.with { lab, server in
            let file = try ServedLab.file("f", ServedLab.bytes(3_000_000), lab)
            func push(_ name: String) async throws -> Pushed {
                let result = try await server.artifactctl("push", "--json", name, file)
                return try JSONDecoder().decode(Pushed.self, from: Data(result.standardOutput.utf8))
            }
            let first = try await push("a:1")
            #expect(first.files.map(\.sent) == [true])
            let second = try await push("a:1")
            #expect(second.files.map(\.sent) == [false])
            #expect(second.digest == first.digest)
            #expect(try await push("a:2").files.map(\.sent) == [false])
        }
    }

    @Test func aPublishedVersionIsImmutable() async throws {
        try await ServedLab.with { lab, server in
            let file = try ServedLab.file("f", Data("one".utf8), lab)
            try await server.artifactctl("push", "a:1", file)
            _ = try ServedLab.file("f", Data("two".utf8), lab)
            let result = try await server.artifactctlResult(["push", "a:1", file])
            #expect(result.exitCode == 1)
            #expect(!result.succeeded)
            #expect(result.standardError.contains("immutable"))
            #expect(!result.standardError.contains("send f"), "it is said before anything is sent")
            let out = lab.directory.appending(path: "out").path
            try await server.artifactctl("pull", "a:1", "-o", out)
            #expect(try String(contentsOfFile: out + "/f", encoding: .utf8) == "one")
        }
    }

    @Test func exitStatusesTellUsageFromRefusal() async throws {
        try await ServedLab.with { lab, server in
            func status(_ arguments: String...) async throws -> CommandResult {
                try await server.artifactctlResult(arguments)
            }
            let file = try ServedLab.file("f", Data("x".utf8), lab)
            for usage in [
                ["push", "no-tag", file], ["push", "a:1"], ["push", "UPPER:1", file], ["push", "a:1", "../x=\(file)"],
                ["push", "a:1", "/abs=\(file)"], ["push", "a:1", file, "f=\(file)"], ["nonsense"], ["show", "a"],
                ["ls", "--socket", "/x", "--server", "http://y"],
            ] {
                let result = try await server.artifactctlResult(usage)
                #expect(result.exitCode == 2, "\(usage): \(result)")
            }
            for refusal in [
                ["show", "nobody:1"], ["push", "a:1", "/does/not/exist"], ["host", "show", "nobody"], ["ls", "nobody"],
            ] {
                let result = try await server.artifactctlResult(refusal)
                #expect(result.exitCode == 1, "\(refusal): \(result)")
                #expect(result.standardError.hasPrefix("Error: "), "\(result)")
            }
            let away = try await lab.commands.result(
                of: [try BuiltProducts.artifactctl(), "ls", "--socket", "/nowhere/socket"])
            #expect(away.exitCode == 1)
            #expect(away.standardError.contains("no server at socket /nowhere/socket"))
        }
    }

    @Test func aDryRunTellsAndSendsNothing() async throws {
        try await ServedLab.with { lab, server in
            let first = try ServedLab.file("first", ServedLab.bytes(20_000), lab)
            let second = try ServedLab.file("second", ServedLab.bytes(30_000, seed: 2), lab)
            try await server.artifactctl("push", "a:1", first)
            let dry = try await server.artifactctl("push", "--dry-run", "a:2", first, second)
            #expect(dry.output.contains("1 files, 30.0 KB to send"), "\(dry)")
            #expect(dry.standardError.contains("send first: the server has it"))
            #expect(try await !server.artifactctl("ls").output.contains("a:2"))
            let done = try await server.artifactctl("push", "a:2", first, second)
            let digest = try #require(done.output.split(separator: " ").last)
            #expect(dry.output.contains(digest))
        }
    }

    /// Many at once, two of them the same bytes.
    @Test func manyFilesGoAtOnce() async throws {
        try await ServedLab.with { lab, server in
            var files: [String] = []
            for number in 0..<20 {
                files.append(try ServedLab.file("f\(number)", ServedLab.bytes(50_000, seed: UInt64(number % 19)), lab))
            }
            let arguments = ["push", "--parallel", "8", "--json", "a:1"] + files
            let result = try await server.artifactctlResult(arguments)
            #expect(result.succeeded, "\(result)")
            let pushed = try JSONDecoder().decode(Pushed.self, from: Data(result.standardOutput.utf8))
            #expect(pushed.files.filter(\.sent).count == 19)
            let output = lab.directory.appending(path: "pulled").path
            try await server.artifactctl("pull", "a:1", "-o", output)
            for number in 0..<20 { try await lab.run(["cmp", files[number], "\(output)/f\(number)"]) }
        }
    }

    /// Killed, not interrupted: the next one goes on in the middle of the file.
    @Test func aKilledPushGoesOnWhereItStood() async throws {
        try await ServedLab.with { lab, server in
            let big = lab.directory.appending(path: "big").path
            let home = lab.directory.appending(path: "home").path
            let memory = "\(home)/.local/state/artifactctl/uploads.json"
            let staging = server.dataDirectory.appending(path: "staging").path
            func command(_ number: Int) throws -> [String] {
                [
                    "env", "HOME=\(home)", "XDG_STATE_HOME=", "PROVISIONER_SOCKET=\(server.socket)",
                    try BuiltProducts.artifactctl(), "push", "big:\(number)", big,
                ]
            }
            // A push that ends before it is killed proves nothing: then with other bytes once more.
            var killed: String?
            var number = 0
            while killed == nil, number < 10 {
                number += 1
                try await lab.run(["dd", "if=/dev/urandom", "of=\(big)", "bs=1M", "count=128", "status=none"])
                let push = try await lab.start(try command(number), log: "push-\(number).log")
                var session: String?
                while push.isRunning, session == nil {
                    // The client has heard of the session, and writes the file in one piece.
                    let text = (try? String(contentsOfFile: memory, encoding: .utf8)) ?? ""
                    session = try FileManager.default.contentsOfDirectory(atPath: staging).first { text.contains($0) }
                }
                kill(push.processID, SIGKILL)
                _ = try? await push.waitForExit(timeout: .seconds(10))
                killed = session.flatMap { FileManager.default.fileExists(atPath: "\(staging)/\($0)") ? $0 : nil }
            }
            let session = try #require(killed)
            let again = try await lab.commands.result(of: try command(number), timeLimit: .seconds(120))
            #expect(again.succeeded, "\(again)")
            #expect(!FileManager.default.fileExists(atPath: "\(staging)/\(session)"), "another session was begun")
            #expect(try String(contentsOfFile: memory, encoding: .utf8) == "[]")
            let output = lab.directory.appending(path: "pulled").path
            try await server.artifactctl("pull", "big:\(number)", "-o", output)
            try await lab.run(["cmp", big, "\(output)/big"])
        }
    }

    @Test func skopeoReadsAndWrites() async throws {
        try Requirement.demand([.tool("skopeo", package: "skopeo")])
        try await ServedLab.with(arguments: ["--control", "127.0.0.1:5000"]) { lab, server in
            try await ServedLab.pushProfile(lab, server)
            let inspected = try await lab.run([
                "skopeo", "inspect", "--tls-verify=false", "docker://127.0.0.1:5000/os:1",
            ])
            let shown = try await server.artifactctl("show", "os:1").output
            let digest = try #require(
                shown.split(separator: "\n").first { $0.hasPrefix("digest") }?.split(separator: " ").last)
            #expect(inspected.output.contains(digest))
            let copy = lab.directory.appending(path: "copy").path
            try await lab.run([
                "skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", "docker://127.0.0.1:5000/os:1",
                "dir:\(copy)",
            ])
            try await lab.run([
                "skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", "dir:\(copy)",
                "docker://127.0.0.1:5000/copied/os:2",
            ])
            #expect(try await server.artifactctl("show", "copied/os:2").output.contains(digest))
            let tags = try await ServedLab.curl(lab, "http://127.0.0.1:5000/v2/copied/os/tags/list")
            #expect(tags.output == #"{"name":"copied/os","tags":["2"]}"#)
        }
    }
}
