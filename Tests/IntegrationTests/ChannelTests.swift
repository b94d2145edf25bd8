import Foundation
import TestSupport
import Testing

/// Promotion, rollback and the audit log, as an operator uses them.
@Suite struct ChannelTests {
    private func push(_ lab: NetworkLab, _ server: ProvisionerServer, _ versions: String...) async throws {
        for version in versions {
            let file = try ServedLab.file("linux", Data("kernel \(version)".utf8), lab)
            try await server.artifactctl("push", "debian:\(version)", file)
        }
    }

    private func served(_ lab: NetworkLab) async throws -> String {
        try await ServedLab.curl(lab, "http://10.20.99.1/debian:prod/linux").output
    }

    @Test func aChannelMovesWhatMachinesAreGiven() async throws {
        try await ServedLab.with { lab, server in
            try await push(lab, server, "12.10", "12.11")
            let first = try await server.artifactctl("promote", "debian:12.10", "prod", "--expected", "none")
            #expect(first.output.contains("(12.10)"))
            #expect(try await served(lab) == "kernel 12.10")
            let digest = try #require(first.output.split(separator: " ").dropFirst().first.map(String.init))
            try await server.artifactctl("promote", "debian:12.11", "prod", "--expected", digest)
            #expect(try await served(lab) == "kernel 12.11")
            try await server.artifactctl("rollback", "debian:prod")
            #expect(try await served(lab) == "kernel 12.10")

            let history = try await server.artifactctl("history", "debian:prod")
            #expect(history.lines.count == 4)
            #expect(history.lines[1].contains("3 (back to 1)"))
            #expect(history.lines[1].contains("12.10"))
            #expect(history.lines[1].contains("root"))
            #expect(try await server.artifactctl("ls").output.contains("debian:prod   channel"))
            // Whoever believes that it still stands elsewhere is told.
            let late = try await server.artifactctlResult(["promote", "debian:12.11", "prod", "--expected", "none"])
            #expect(late.exitCode == 1)
            #expect(late.standardError.contains("somebody else has moved it"))
            // A push to a channel moves it too; a push to a version is refused.
            let file = try ServedLab.file("linux", Data("kernel of the channel".utf8), lab)
            try await server.artifactctl("push", "debian:prod", file)
            #expect(try await served(lab) == "kernel of the channel")
            let refused = try await server.artifactctlResult(["push", "debian:12.10", file])
            #expect(refused.exitCode == 1)
            #expect(refused.standardError.contains("immutable"))
        }
    }

    @Test func whatIsRemovedIsNotServedAndTheChannelProtects() async throws {
        try await ServedLab.with { lab, server in
            try await push(lab, server, "1", "2")
            let shown = try await server.artifactctl("promote", "debian:1", "prod")
            let digest = try #require(shown.output.split(separator: " ").dropFirst().first.map(String.init))
            let refused = try await server.artifactctlResult(["rm", "debian@\(digest)"])
            #expect(refused.exitCode == 1)
            #expect(refused.standardError.contains("channel debian:prod"))
            try await server.artifactctl("rm", "debian:2")
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/debian:2/linux") == "404")
            #expect(try await served(lab) == "kernel 1")
            let unknown = try await server.artifactctlResult(["rm", "debian:2"])
            #expect(unknown.exitCode == 1)
        }
    }

    @Test func theAuditLogTellsWhoDidWhatAndIsWhole() async throws {
        try await ServedLab.with { lab, server in
            try await push(lab, server, "1", "2")
            let before = try await server.artifactctl("audit", "verify")
            let digest = try #require(before.output.split(separator: " ").last.map(String.init))
            try await server.artifactctl("promote", "debian:1", "prod")
            try await server.artifactctl("rm", "debian:2")
            let log = try await server.artifactctl("audit")
            let changes = log.lines.dropFirst()
            for (line, words) in zip(changes, ["publish", "publish", "promote", "delete tag"]) {
                #expect(line.contains(words) && line.contains("root"), "\(line)")
            }
            #expect(changes.count == 4)
            try await server.artifactctl("audit", "verify", "--known", digest)
            let other = try await server.artifactctlResult([
                "audit", "verify", "--known", "sha256:" + String(repeating: "1", count: 64),
            ])
            #expect(other.exitCode == 1)
            #expect(other.standardError.contains("was rewritten"))
        }
    }

    @Test(arguments: [
        ["promote", "debian", "prod"], ["promote", "debian:1", "-x"],
        ["promote", "debian:1", "prod", "--expected", "1"],
        ["rollback", "debian"], ["history", "debian@sha256:00"], ["rm", "Debian:1"],
        ["audit", "verify", "--known", "x"],
        ["audit", "ls", "-n", "0"],
    ])
    func wrongUsageIsToldBeforeAnythingIsSent(arguments: [String]) async throws {
        let result = try await CommandRunner.local.result(of: [try BuiltProducts.artifactctl()] + arguments)
        #expect(result.exitCode == 2, "\(result)")
    }
}
