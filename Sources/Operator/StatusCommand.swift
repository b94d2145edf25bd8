internal import ArgumentParser
internal import ControlAPI
internal import Foundation

/// `artifactctl status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how the server is.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let status = try await ControlClient.with(try server.connection()) { client in
            try await client.document(ServerStatus.self, ControlPath.status)
        }
        print(json ? try OutputFormat.json(status) : Self.text(status))
    }

    static func text(_ status: ServerStatus) -> String {
        var rows = [
            ["version", status.version], ["site", status.siteRevision ?? "none: only the control plane runs"],
        ]
        rows += status.siteProblems.map { ["problem", $0] }
        if let degraded = status.degraded { rows.append(["problem", degraded]) }
        rows += status.authorities.map { ["substrate", "\($0.substrate): \($0.declared), \($0.state)"] }
        if let fingerprint = status.fingerprint { rows.append(["certificate", fingerprint]) }
        rows.append(["artifacts", "\(status.artifactCount)"])
        rows.append(["free", "\(ByteCount(status.freeBytes)) of \(ByteCount(status.totalBytes))"])
        if status.stuckCount > 0 {
            rows.append(["stuck", "\(status.stuckCount) machines: 'artifactctl host ls --stuck' tells which, and why"])
        }
        rows += status.boots.map { ["boot", "\(OutputFormat.time($0.time)) \($0.machine): \($0.kind) \($0.detail)"] }
        return rows.map { $0[0].padding(toLength: 13, withPad: " ", startingAt: 0) + ControlClient.visible($0[1]) }
            .joined(separator: "\n")
    }
}
