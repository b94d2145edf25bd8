internal import ArgumentParser
internal import Artifacts
internal import ControlAPI

/// `artifactctl ls [NAME]`.
struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List published versions.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "Only this artifact.")
    var name: String?

    func validate() throws {
        if let name { do { _ = try ArtifactName(name) } catch { throw ValidationError("\(error)") } }
    }

    func run() async throws {
        let list = try await ControlClient.with(try server.connection()) { client in
            try await client.document([ArtifactSummary].self, "/api/v1/artifacts")
        }.filter { name == nil || $0.name == name }
        if let name, list.isEmpty { throw OperatorError(.refused, "there is no artifact '\(name)'") }
        print(json ? try OutputFormat.json(list) : Self.table(list))
    }

    static func table(_ list: [ArtifactSummary]) -> String {
        OutputFormat.table(
            ["ARTIFACT", "KIND", "FILES", "SIZE", "PUBLISHED", "DIGEST"],
            list.map { artifact in
                [
                    ControlClient.visible("\(artifact.name):\(artifact.tag)"),
                    artifact.isChannel ? "channel" : "version",
                    String(artifact.fileCount), "\(ByteCount(artifact.size))",
                    OutputFormat.time(artifact.publishedAt * 1000), "sha256:\(artifact.digest.hex.prefix(12))",
                ]
            })
    }
}
