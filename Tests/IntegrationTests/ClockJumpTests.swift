import Foundation
import TestSupport
import Testing

/// A box without a battery believes that it is 1970 until somebody tells it better, and a wrong time server does the rest: the time of
/// day jumps by years under a running server.
@Suite(.timeLimit(.minutes(10))) struct ClockJumpTests {
    private static let faketime = URL(filePath: "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
    private static let year = Int64(365 * 24 * 3600)

    @Test func whatIsUnderWayGoesOnAndWhatIsAskedIsAnswered() async throws {
        try Requirement.demand(ProvisionerServer.requirements + [.file(Self.faketime, package: "libfaketime")])
        try await NetworkLab.with { lab in
            let offset = lab.directory.appending(path: "offset")
            try Data("+0".utf8).write(to: offset)
            let server = try await ProvisionerServer.start(
                in: lab, site: ServedLab.site.yaml,
                environment: [
                    "LD_PRELOAD=\(Self.faketime.path)", "FAKETIME_TIMESTAMP_FILE=\(offset.path)", "FAKETIME_NO_CACHE=1",
                    "FAKETIME_DONT_FAKE_MONOTONIC=1",
                    // The library adds a variable to the first program that it is loaded into, and Swift looks for its arguments
                    // where the variables were.
                    "env",
                ])
            try await ServedLab.pushProfile(lab, server)
            let file = ServedLab.bytes(24_000_000)
            try await server.artifactctl("push", "big:1", try ServedLab.file("big", file, lab))
            let machine = try await lab.addHost("hv01", address: "10.20.99.21/24")
            let targets = ["http", "tftp"].map { lab.directory.appending(path: "got-\($0)") }
            var clients: [RunningProgram] = []
            for (scheme, target) in zip(["http", "tftp"], targets) {
                clients.append(
                    try await lab.start(
                        ["curl", "-sS", "--limit-rate", "2M", "-o", target.path, "\(scheme)://10.20.99.1/big:1/big"],
                        log: "\(scheme).log"))
            }
            while targets.contains(where: { Self.size($0) < 500_000 }) { try await Task.sleep(for: .milliseconds(20)) }
            let script = "http://10.20.99.1/ipxe/script?mac=\(ServedLab.machine.mac.replacing(":", with: "-"))"
            let first = try await machine.run(["curl", "-sS", "-m", "20", script]).output
            let answer = try #require(first.firstMatch(of: /url=(http:\S+)/)?.output.1)
            for jump in ["+3650d", "-3650d", "+1d", "+0"] {
                try Data(jump.utf8).write(to: offset, options: .atomic)
                // Asked otherwise each time, or it would be known and not decided.
                let text = try await machine.run(["curl", "-sS", "-m", "20", "-A", jump, script]).output
                #expect(text.contains("kernel --name linux"), "\(jump): \(text)")
                #expect(
                    try await machine.run([
                        "curl", "-sS", "-m", "20", "--connect-to", "::10.20.99.1:80", String(answer),
                    ]).output.contains("I am hv01"))
                try await machine.run([
                    "curl", "-sS", "-m", "20", "-o", "/dev/null", "tftp://10.20.99.1/loaders/snponly.efi",
                ])
                #expect(server.program.isRunning)
            }
            #expect(targets.allSatisfy { Self.size($0) < file.count }, "they were under way all the while")
            let times = try await server.host("hv01").events.map(\.time)
            #expect(try #require(times.max()) - (try #require(times.min())) > 19 * Self.year, "the time did jump")
            for client in clients {
                try await client.waitForExit(timeout: .seconds(300))
                #expect(client.exitCode == 0)
            }
            for target in targets { #expect(try Data(contentsOf: target) == file) }
        }
    }

    private static func size(_ file: URL) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int) ?? 0
    }
}
