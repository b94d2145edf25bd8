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
        let query = name.map { "?name=\($0)" } ?? ""
        try await ControlClient.with(try server.connection()) { client in
            // Page by page: a store may have more tags than anybody wants in memory.
            var widths = OutputFormat.Widths()
            var count = 0
            var isFirst = true
            try await client.forEachPage([ArtifactSummary].self, ControlPath.artifacts + query) { page in
                if json {
                    for artifact in page {
                        print(count == 0 ? "[" : ",")
                        print(try OutputFormat.json(artifact), terminator: "")
                        count += 1
                    }
                } else if isFirst || !page.isEmpty {
                    print(Self.table(page, &widths, withHeader: isFirst))
                    isFirst = false
                    count += page.count
                }
            }
            if let name, count == 0 { throw OperatorError(.refused, "there is no artifact '\(name)'") }
            if json { print(count == 0 ? "[]" : "\n]") }
        }
    }

    static func table(
        _ list: [ArtifactSummary], _ widths: inout OutputFormat.Widths, withHeader isFirst: Bool
    ) -> String {
        OutputFormat.table(
            isFirst ? ["ARTIFACT", "KIND", "FILES", "SIZE", "PUBLISHED", "DIGEST"] : nil, &widths,
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
