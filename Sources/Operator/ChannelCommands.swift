internal import ArgumentParser
internal import Artifacts
internal import ControlAPI
internal import NIOHTTP1

/// `artifactctl promote NAME:TAG CHANNEL`.
struct PromoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote", abstract: "Point a channel at a version.",
        discussion: """
            A channel is a tag that moves: profiles that name debian:prod boot what it names at that moment. It is made by \
            its first promotion.

              artifactctl promote debian:12.11 prod
              artifactctl promote debian:12.11 prod --expected sha256:...   only if nobody has moved it since
            """)

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: "Refuse unless the channel names this digest; 'none' for a channel that must be new.")
    var expected: String?

    @Argument(help: "The version: NAME:TAG or NAME@sha256:HEX.")
    var reference: String

    @Argument(help: "The channel: dev, stage, prod, or any other name.")
    var channel: String

    func validate() throws {
        do {
            _ = try Reference(reference)
            _ = try Tag(channel)
            if let expected, expected != "none" { _ = try Digest(expected) }
        } catch {
            throw ValidationError("\(error)")
        }
    }

    func run() async throws {
        let reference = try Reference(reference)
        let report = try await ControlClient.with(try server.connection()) { client in
            try await client.document(
                ChannelReport.self, "\(ControlPath.channels)/\(reference.name):\(channel)", .PUT,
                sending: PromoteRequest(version: reference.version.description, expected: expected))
        }
        print(json ? try OutputFormat.json(report) : ChannelText.position(report))
    }
}

/// `artifactctl rollback NAME:CHANNEL`.
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Point a channel at the version it named before.",
        discussion: "Once more goes back one further. 'artifactctl history' shows what there is to go back to.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: "Refuse unless the channel names this digest.")
    var expected: String?

    @Argument(help: "The channel: NAME:CHANNEL.")
    var channel: String

    func validate() throws {
        try ChannelText.validate(channel)
        if let expected { do { _ = try Digest(expected) } catch { throw ValidationError("\(error)") } }
    }

    func run() async throws {
        let report = try await ControlClient.with(try server.connection()) { client in
            try await client.document(
                ChannelReport.self, "\(ControlPath.channels)/\(channel)/rollback",
                posting: RollbackRequest(expected: expected))
        }
        print(json ? try OutputFormat.json(report) : ChannelText.position(report))
    }
}

/// `artifactctl history NAME:CHANNEL`.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show what a channel named, and who moved it.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "The channel: NAME:CHANNEL.")
    var channel: String

    func validate() throws { try ChannelText.validate(channel) }

    func run() async throws {
        let report = try await ControlClient.with(try server.connection()) { client in
            try await client.document(ChannelReport.self, "\(ControlPath.channels)/\(channel)")
        }
        print(json ? try OutputFormat.json(report) : ChannelText.history(report))
    }
}

/// A channel in words.
enum ChannelText {
    static func validate(_ text: String) throws {
        do {
            guard case .tag = try Reference(text).version else {
                throw ValidationError("'\(text)' is a digest: name a channel, NAME:CHANNEL")
            }
        } catch let error as ArtifactError {
            throw ValidationError("\(error)")
        }
    }

    static func position(_ report: ChannelReport) -> String {
        let tags = report.moves.first?.tags ?? []
        let versions = tags.isEmpty ? "" : " (\(ControlClient.visible(tags.joined(separator: ", "))))"
        return "\(report.name):\(report.channel) \(report.moves.first?.digest.description ?? "-")\(versions)"
    }

    static func history(_ report: ChannelReport) -> String {
        OutputFormat.table(
            ["MOVE", "TIME", "VERSION", "DIGEST", "BY"],
            report.moves.map { move in
                [
                    move.restores.map { "\(move.sequence) (back to \($0))" } ?? "\(move.sequence)",
                    OutputFormat.time(move.movedAt * 1000),
                    move.tags.isEmpty ? "-" : ControlClient.visible(move.tags.joined(separator: ",")),
                    "sha256:\(move.digest.hex.prefix(12))", ControlClient.visible(move.actor),
                ]
            })
    }
}
