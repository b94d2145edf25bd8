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
            let limit = try #require(Int(open)) + 100
            try await lab.run(["prlimit", "--pid", processID, "--nofile=\(limit):\(limit)"])
            let holder = try await lab.start(
                [
                    "python3", "-c",
                    """
                    import socket, time
                    held = [socket.create_connection(("10.20.99.1", 80)) for _ in range(200)]
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

    /// Requests by addresses that nobody has take no place from machines that answer, and send little to those whose addresses
    /// they are.
    @Test func aFloodFromForgedAddressesKeepsNobodyOut() async throws {
        try await Self.with { lab, server in
            let flooder = try await lab.addHost("flood", address: "10.20.99.66/24")
            let client = try await lab.addHost("hv01", address: "10.20.99.21/24")
            // What is sent to the forged addresses goes where it can be counted.
            try await lab.run(["ip", "route", "add", "198.18.0.0/15", "via", "10.20.99.66"])
            try await flooder.run([
                "nft",
                """
                table inet flood {
                    chain arriving {
                        type filter hook prerouting priority -300
                        ip daddr 198.18.0.0/15 counter drop
                    }
                }
                """,
            ])
            let end = lab.directory.appending(path: "enough")
            let flood = try await flooder.start(["python3", "-c", Self.flood, end.path], log: "sender.log")
            try await flood.waitForLine(containing: "flooding")
            let target = lab.directory.appending(path: "got")
            let loader = try await lab.run(["sha256sum", "/usr/lib/ipxe/undionly.kpxe"]).output.prefix(64)
            var whole = 0
            for scheme in Array(repeating: ["tftp", "http"], count: 5).joined() {
                try await client.run(
                    [
                        "curl", "-sS", "-m", "300", "-o", target.path, "\(scheme)://10.20.99.1/loaders/undionly.kpxe",
                    ], timeLimit: .seconds(310))
                #expect(try await lab.run(["sha256sum", target.path]).output.hasPrefix(loader))
                #expect(flood.isRunning)
                whole += 1
            }
            try Data().write(to: end)
            try await flood.waitForExit(timeout: .seconds(60))
            let line = try await flood.waitForLine(containing: "sent ")
            let sent = try #require(Int(line.dropFirst("sent ".count)))
            let counted = try await flooder.run(["nft", "list", "table", "inet", "flood"]).output
            let packets = counted.firstMatch(of: /packets ([0-9]+)/).flatMap { Int($0.1) } ?? 0
            print(
                "flood: \(sent) forged requests, \(packets) packets to their addresses, \(whole) of \(whole) files whole"
            )
            #expect(packets <= 4 * sent)
            #expect(server.program.isRunning)
        }
    }

    /// Requests with made-up senders, each for a file that there is: 150,000, and then on until there is the file that it is given.
    private static let flood = """
        import os, random, socket, struct, sys
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        random.seed(6)
        request = b"\\0\\1os:1/big\\0octet\\0blksize\\0001400\\0"
        print("flooding", flush=True)
        sent = 0
        while sent < 150000 or sent % 100 != 0 or not os.path.exists(sys.argv[1]):
            udp = struct.pack("!HHHH", random.randrange(1024, 65536), 69, 8 + len(request), 0) + request
            source = struct.pack("!I", 0xc6120000 + random.randrange(1 << 17))
            head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + source + socket.inet_aton("10.20.99.1")
            try:
                raw.sendto(head + udp, ("10.20.99.1", 0))
                sent += 1
            except OSError:
                continue
        print("sent", sent, flush=True)
        """

    /// A client that is switched off in the middle says nothing more, and its connection is not kept for ever.
    @Test func aClientThatVanishesInTheMiddleIsLetGo() async throws {
        try await Self.with { lab, server in
            let client = try await lab.addHost("hv01", address: "10.20.99.21/24")
            let target = lab.directory.appending(path: "got")
            // So slow that it would take half an hour: it is under way, however late the rest of this comes.
            let running = try await client.start(
                ["curl", "-sS", "--limit-rate", "12K", "-o", target.path, "http://10.20.99.1/os:1/big"],
                log: "curl.log")
            while Self.size(target) < 50_000 { try await Task.sleep(for: .milliseconds(50)) }
            func connections() async throws -> Int {
                try await lab.run(["ss", "-Htn", "state", "established", "( sport = :80 )"]).output.split(
                    separator: "\n"
                ).count
            }
            #expect(try await connections() == 1)
            try await client.run(["ip", "link", "set", "eth0", "down"])
            let end = ContinuousClock.now + .seconds(600)
            while try await connections() > 0, ContinuousClock.now < end { try await Task.sleep(for: .seconds(1)) }
            #expect(try await connections() == 0)
            await running.stop()
            try await server.program.waitForLine(containing: "ended early", timeout: .seconds(200))
        }
    }
}
