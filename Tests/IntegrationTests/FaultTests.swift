import Foundation
import TestSupport
import Testing

/// The boot plane while something breaks under it.
@Suite(.timeLimit(.minutes(15))) struct FaultTests {
    private static let file = ServedLab.bytes(24_000_000)

    /// A served lab with `os:1/big` published; the site has nothing of its own to boot.
    private static func with(_ body: (NetworkLab, ProvisionerServer) async throws -> Void) async throws {
        try await ServedLab.with { lab, server in
            try await server.artifactctl("push", "os:1", try ServedLab.file("big", file, lab))
            try await body(lab, server)
        }
    }

    private static func blob(_ server: ProvisionerServer, _ lab: NetworkLab) async throws -> String {
        let digest = try await lab.run(["sha256sum", lab.directory.appending(path: "big").path]).output.prefix(64)
        return try await lab.run(["find", server.dataDirectory.path, "-name", String(digest), "-size", "+1M"]).output
    }

    private static func size(_ file: URL) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int) ?? 0
    }

    /// Clients try again by themselves, as firmware and installers do: all of them have the whole file at the end.
    @Test func clientsSurviveThatTheServerIsKilled() async throws {
        try await Self.with { lab, server in
            let clients = ["http", "http", "http", "http", "http", "http", "tftp", "tftp"]
            let files = clients.indices.map { lab.directory.appending(path: "got\($0)") }
            var running: [RunningProgram] = []
            for (scheme, file) in zip(clients, files) {
                // TFTP has no resumption: what came before is thrown away.
                let fetch =
                    scheme == "http"
                    ? "curl -sS --limit-rate 3M -C - -o \(file.path) http://10.20.99.1/os:1/big"
                    : "curl -sS --limit-rate 3M -m 60 -o \(file.path) tftp://10.20.99.1/os:1/big"
                let line = "for try in $(seq 60); do \(fetch) && exit 0; sleep 0.5; done; exit 1"
                running.append(try await lab.start(["sh", "-c", line], log: file.lastPathComponent + ".log"))
            }
            while files.contains(where: { Self.size($0) < 500_000 }) { try await Task.sleep(for: .milliseconds(50)) }
            try await lab.run(["kill", "-KILL", String(server.program.processID)])
            let cut = files.count { Self.size($0) < Self.file.count }
            print("killed under \(cut) transfers")
            #expect(cut > 0, "all had ended before the kill")
            _ = try? await server.program.waitForExit(timeout: .seconds(10))
            let start = ContinuousClock.now
            _ = try await ProvisionerServer.start(in: lab, siteFile: server.siteFile, name: "again")
            print("a killed server answers again after \(ContinuousClock.now - start)")
            for program in running { try await program.waitForExit(timeout: .seconds(600)) }
            #expect(running.allSatisfy { $0.exitCode == 0 })
            #expect(try files.count { try Data(contentsOf: $0) == Self.file } == clients.count)
        }
    }

    /// The collection may take a blob that nothing lists any more: who loads it has it open.
    @Test func aBlobThatVanishesUnderATransferIsSentWhole() async throws {
        try await Self.with { lab, server in
            let target = lab.directory.appending(path: "got")
            let blob = try await Self.blob(server, lab)
            // Slow, so that it is under way however busy the machine is.
            let client = try await lab.start(
                ["curl", "-sS", "--limit-rate", "1M", "-o", target.path, "http://10.20.99.1/os:1/big"], log: "curl.log")
            while Self.size(target) < 500_000 { try await Task.sleep(for: .milliseconds(20)) }
            try FileManager.default.removeItem(atPath: blob)
            #expect(Self.size(target) < Self.file.count)
            try await client.waitForExit(timeout: .seconds(300))
            #expect(try Data(contentsOf: target) == Self.file)
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/os:1/big") == "500")
        }
    }

    @Test func aFileThatIsNotInMemoryIsSentWhole() async throws {
        try await Self.with { lab, server in
            let blob = try await Self.blob(server, lab)
            let target = lab.directory.appending(path: "got")
            for scheme in ["http", "tftp"] {
                try await lab.run(["dd", "of=\(blob)", "oflag=nocache", "conv=notrunc,fdatasync", "count=0"])
                try await lab.run(["curl", "-sS", "-o", target.path, "\(scheme)://10.20.99.1/os:1/big"])
                #expect(try Data(contentsOf: target) == Self.file)
            }
        }
    }

    @Test(arguments: ["http", "tftp"])
    func aBlobThatBecomesShorterUnderATransferEndsItWithAnError(_ scheme: String) async throws {
        try await Self.with { lab, server in
            let target = lab.directory.appending(path: "got")
            let blob = try FileHandle(forUpdating: URL(filePath: try await Self.blob(server, lab)))
            let client = try await lab.start(
                ["curl", "-sS", "--limit-rate", "1M", "-o", target.path, "\(scheme)://10.20.99.1/os:1/big"],
                log: "curl.log")
            while Self.size(target) < 500_000 { try await Task.sleep(for: .milliseconds(20)) }
            try blob.truncate(atOffset: 1000)
            #expect(Self.size(target) < Self.file.count)
            try await client.waitForExit(timeout: .seconds(300))
            #expect(client.exitCode != 0)
            #expect(server.program.isRunning)
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/os:1/big") == "500")
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/loaders/ipxe.efi") == "200")
        }
    }

    /// Connections beyond what the program may open wait; when some end, it goes on, over HTTP and TFTP.
    @Test func withoutDescriptorsItGoesOnWhenThereAreSomeAgain() async throws {
        try await Self.with { lab, server in
            let processID = String(server.program.processID)
            let open = try await lab.run(["sh", "-c", "ls /proc/\(processID)/fd | wc -l"]).output
            let limit = try #require(Int(open)) + 20
            try await lab.run(["prlimit", "--pid", processID, "--nofile=\(limit):\(limit)"])
            let holder = try await lab.start(
                [
                    "python3", "-c",
                    """
                    import socket, time
                    held = [socket.create_connection(("10.20.99.1", 80)) for _ in range(100)]
                    print("held", flush=True)
                    time.sleep(600)
                    """,
                ], log: "holder.log")
            try await holder.waitForLine(containing: "held")
            func used() async throws -> Int {
                try #require(Int(try await lab.run(["sh", "-c", "ls /proc/\(processID)/fd | wc -l"]).output))
            }
            while try await used() < limit { try await Task.sleep(for: .milliseconds(50)) }
            let refused = try await ServedLab.curl(lab, "-m", "2", "-o", "/dev/null", "http://10.20.99.1/boot.ipxe")
            #expect(!refused.succeeded)
            // A child cannot be started now, and is when there is room again.
            let dnsmasq = try await lab.run(["pgrep", "-P", processID, "dnsmasq"]).output
            try await lab.run(["kill", dnsmasq])
            try await server.program.waitForLine(
                containing: "dnsmasq cannot be run: no file descriptors are left", timeout: .seconds(60))
            #expect(server.program.isRunning)
            await holder.stop()
            while try await !lab.commands.result(of: ["pgrep", "-P", processID, "dnsmasq"]).succeeded {
                try await Task.sleep(for: .milliseconds(200))
            }
            for url in ["http://10.20.99.1/os:1/big", "tftp://10.20.99.1/os:1/big"] {
                let target = lab.directory.appending(path: "got")
                try await lab.run(["curl", "-sS", "--retry", "20", "--retry-all-errors", "-o", target.path, url])
                #expect(try Data(contentsOf: target) == Self.file)
            }
        }
    }
}
