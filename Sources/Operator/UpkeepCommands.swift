internal import ArgumentParser
internal import ControlAPI

/// `artifactctl gc`.
struct CollectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Free the space of what nobody needs.",
        discussion: """
            The server does this by itself every hour. A blob is needed while a manifest lists it, a push under way may, or \
            it is younger than the grace time. What is not is first condemned, later moved to the trash, later removed: \
            pushing it again at any moment brings it back, and nobody has to stop pushing or booting.
            """)

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Tell what would be taken and why the rest stays, and change nothing.")
    var dryRun = false

    @Flag(help: "Collect even if it is more than is likely to be meant.")
    var yes = false

    func run() async throws {
        let request = CollectionRequest(isDryRun: dryRun, overridesBrake: yes)
        let summary = try await ControlClient.with(try server.connection()) { client in
            try await client.document(CollectionSummary.self, ControlPath.collection, posting: request)
        }
        print(json ? try OutputFormat.json(summary) : Self.text(summary))
        guard summary.failures.isEmpty else {
            throw OperatorError(.refused, "\(summary.failures.count) blobs could not be moved: they are tried again")
        }
    }

    static func text(_ summary: CollectionSummary) -> String {
        func row(_ name: String, _ share: CollectionSummary.Share) -> [String] {
            [name, String(share.count), "\(ByteCount(share.bytes))"]
        }
        let table = OutputFormat.table(
            ["BLOBS", "COUNT", "SIZE"],
            [
                row("needed by a manifest", summary.referenced), row("needed by a push under way", summary.leased),
                row("not old enough yet", summary.recent),
                row(summary.isDryRun ? "needed by nobody" : "condemned now", summary.unneeded),
            ]
                + (summary.isDryRun
                    ? [] : [row("moved to the trash", summary.trashed), row("removed", summary.removed)]))
        let examples = summary.isDryRun ? summary.examples.map { "would condemn \($0)" } : []
        return ([table] + examples + summary.failures.map(ControlClient.visible)).joined(separator: "\n")
    }
}

/// `artifactctl scrub`.
struct ScrubCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scrub", abstract: "Show how far the server has compared its blobs with their digests.",
        discussion: """
            The server reads every blob now and then. One that has rotted is no longer served; pushing one of the versions \
            that list it mends it. Exit status 1 while there is one.
            """)

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let summary = try await ControlClient.with(try server.connection()) { client in
            try await client.document(ScrubSummary.self, ControlPath.scrub)
        }
        print(json ? try OutputFormat.json(summary) : Self.text(summary))
        guard summary.corrupt.isEmpty else {
            throw OperatorError(.refused, "\(summary.corrupt.count) blobs are lost: push what lists them again")
        }
    }

    static func text(_ summary: ScrubSummary) -> String {
        let ended = summary.passEndedAt.map { OutputFormat.time($0 * 1000) } ?? "never"
        let lost = summary.corrupt.map { blob in
            "lost \(blob.digest) (\(ByteCount(blob.size))): \(blob.references.isEmpty ? "nothing lists it" : ControlClient.visible(blob.references.joined(separator: " ")))"
        }
        return
            ([
                "last whole pass ended  \(ended)",
                "left in this pass      \(summary.remainingCount) blobs, \(ByteCount(summary.remainingBytes))",
            ] + lost).joined(separator: "\n")
    }
}
