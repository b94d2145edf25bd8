internal import ArgumentParser
internal import Artifacts
internal import ControlAPI
internal import NIOHTTP1

/// `artifactctl quota ls|set|rm`.
struct QuotaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quota", abstract: "Say how much some names may hold; without a quota, the disk decides.",
        discussion: """
            NAMES is one artifact name, a prefix that ends in /*, or *; every quota that fits a name counts. A blob counts \
            once for each name that holds it. What is over a quota is refused with the numbers, and what is held already stays.

              artifactctl quota set 'nightly/*' 200GB
              artifactctl quota ls
            """,
        subcommands: [QuotaListCommand.self, QuotaSetCommand.self, QuotaRemoveCommand.self],
        defaultSubcommand: QuotaListCommand.self)
}

struct QuotaListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the quotas, and what their names hold.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let list = try await ControlClient.with(try server.connection()) { client in
            try await client.document([QuotaDocument].self, ControlPath.quotas)
        }
        print(json ? try OutputFormat.json(list) : Self.table(list))
    }

    static func table(_ list: [QuotaDocument]) -> String {
        OutputFormat.table(
            ["NAMES", "QUOTA", "HELD"],
            list.map { quota in
                [
                    quota.names.description, "\(ByteCount(quota.limit))",
                    "\(ByteCount(quota.used ?? 0))"
                        + (quota.limit > 0 ? ", \((quota.used ?? 0) * 100 / quota.limit) %" : ""),
                ]
            })
    }
}

struct QuotaSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "set", abstract: "Set the quota of some names.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "One name, a prefix that ends in /*, or *.", transform: NamePattern.argument)
    var names: NamePattern

    @Argument(help: "How much: bytes, or a number with KB, MB, GB or TB.")
    var limit: String

    func validate() throws {
        guard ByteCount(parsing: limit) != nil else {
            throw ValidationError(
                "'\(limit)' is no size: write bytes, or a number with KB, MB, GB or TB, such as 200GB")
        }
    }

    func run() async throws {
        guard let limit = ByteCount(parsing: limit) else { return }
        let quota = try await ControlClient.with(try server.connection()) { client in
            try await client.document(
                QuotaDocument.self, ControlPath.quotas, .PUT,
                sending: QuotaDocument(names: names, limit: limit.bytes))
        }
        print(json ? try OutputFormat.json(quota) : "\(quota.names) may hold \(ByteCount(quota.limit))")
    }
}

struct QuotaRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rm", abstract: "Remove the quota of some names.")

    @OptionGroup var server: ServerOptions

    @Argument(help: "The names, as 'quota ls' shows them.", transform: NamePattern.argument)
    var names: NamePattern

    func run() async throws {
        _ = try await ControlClient.with(try server.connection()) { client in
            try await client.require([204], .DELETE, "\(ControlPath.quotas)/\(names)")
        }
        print("\(names) has no quota any more")
    }
}
