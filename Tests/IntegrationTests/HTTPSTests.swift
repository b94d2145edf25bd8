import Foundation
import TestSupport
import Testing

/// The boot plane's namespace over TLS.
@Suite struct HTTPSTests {
    private static func curl(_ lab: NetworkLab, _ arguments: [String]) async throws -> CommandResult {
        try await lab.commands.result(of: ["curl", "-sS", "--max-time", "60"] + arguments)
    }

    @Test func theSameNamespaceOverTLSByTheServersOwnCertificate() async throws {
        try Requirement.demand(ProvisionerServer.requirements)
        try await NetworkLab.with { lab in
            let server = try await ProvisionerServer.start(
                in: lab, site: ServedLab.site.yaml, arguments: ["--boot-https", "10.20.99.1:443"])
            let content = ServedLab.bytes(9_000_001)
            try await server.artifactctl("push", "os:1", try ServedLab.file("big", content, lab))
            let authority = server.dataDirectory.path + "/control.crt"
            func get(_ path: String, _ more: String...) async throws -> CommandResult {
                try await Self.curl(lab, ["--cacert", authority] + more + ["https://10.20.99.1\(path)"])
            }
            #expect(try await get("/boot.ipxe", "-f").output.hasPrefix("#!ipxe"))
            let target = lab.directory.appending(path: "got")
            #expect(try await get("/os:1/big", "-f", "-o", target.path).succeeded)
            #expect(try Data(contentsOf: target) == content)
            #expect(try await get("/os:1/big", "-f", "-r", "5000000-8999999", "-o", target.path).succeeded)
            #expect(try Data(contentsOf: target) == content[5_000_000..<9_000_000])
            #expect(try await get("/os:1/big", "-I").output.lowercased().contains("content-length: 9000001"))
            // Several over one connection.
            let two = try await get("/boot.ipxe", "-f", "https://10.20.99.1/os:1/big", "-o", "/dev/null", "-v")
            #expect(two.succeeded && two.standardError.contains("Re-using existing connection"), "\(two)")

            let stranger = try await Self.curl(lab, ["-f", "https://10.20.99.1/boot.ipxe"])
            #expect(stranger.exitCode == 60, "whoever does not know the authority does not believe it: \(stranger)")
            let plain = try await Self.curl(lab, ["-f", "-m", "5", "http://10.20.99.1:443/boot.ipxe"])
            #expect(!plain.succeeded)
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/boot.ipxe") == "200", "HTTP stays")
            // A client that begins and does not go on, and one that goes within a body.
            _ = try await lab.commands.result(of: ["sh", "-c", "printf '\\026\\003\\001' | nc -q1 10.20.99.1 443"])
            _ = try await get("/os:1/big", "-m", "0.05", "--limit-rate", "1k", "-o", "/dev/null")
            #expect(try await get("/boot.ipxe", "-f").succeeded)
            #expect(server.program.isRunning)
        }
    }
}
