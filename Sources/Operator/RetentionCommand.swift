internal import ArgumentParser
internal import Artifacts
internal import ControlAPI
internal import NIOHTTP1

/// `artifactctl retention ls|set|rm|apply`.
struct RetentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention", abstract: "Say how many versions are kept; without a rule, all are.",
        discussion: """
            NAMES is one artifact name, a prefix that ends in /*, or *; of several rules that fit, the one that says most of a \
            name counts. The server applies the rules every hour. What a channel names, or has named lately, what an index \
            lists and what the site file's profiles name stays, whatever a rule says.

              artifactctl retention set 'nightly/*' --keep 7 --untagged 48
              artifactctl retention apply --dry-run
            """,
        subcommands: [
            RetentionListCommand.self, RetentionSetCommand.self, RetentionRemoveCommand.self,
            RetentionApplyCommand.self,
        ], defaultSubcommand: RetentionListCommand.self)
}

struct RetentionListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List the rules.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let list = try await ControlClient.with(try server.connection()) { client in
            try await client.document([RetentionRuleDocument].self, ControlPath.retention)
        }
        print(json ? try OutputFormat.json(list) : Self.table(list))
    }

    static func table(_ list: [RetentionRuleDocument]) -> String {
        OutputFormat.table(
            ["NAMES", "VERSIONS", "UNTAGGED"],
            list.map { rule in
                [
                    rule.names.description, rule.keptVersions.map { "the newest \($0)" } ?? "all",
                    rule.untaggedHours.map { "for \($0) h" } ?? "always",
                ]
            })
    }
}

struct RetentionSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "set", abstract: "Set the rule of some names.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: "How many of the newest versions stay.")
    var keep: Int?

    @Option(help: "Hours after which a manifest without a tag goes.")
    var untagged: Int?

    @Argument(help: "One name, a prefix that ends in /*, or *.", transform: NamePattern.argument)
    var names: NamePattern

    func validate() throws {
        guard keep != nil || untagged != nil else {
            throw ValidationError("--keep or --untagged: at least one of them is needed")
        }
        for (name, value) in [("--keep", keep), ("--untagged", untagged)] {
            if let value, value < 1 { throw ValidationError("\(name) \(value): it must be 1 or more") }
        }
    }

    func run() async throws {
        let rule = RetentionRuleDocument(names: names, keptVersions: keep, untaggedHours: untagged)
        let answer = try await ControlClient.with(try server.connection()) { client in
            try await client.document(RetentionRuleDocument.self, ControlPath.retention, .PUT, sending: rule)
        }
        print(json ? try OutputFormat.json(answer) : RetentionListCommand.table([answer]))
    }
}

struct RetentionRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rm", abstract: "Remove a rule.")

    @OptionGroup var server: ServerOptions

    @Argument(help: "The rule's NAMES, as 'artifactctl retention ls' shows them.", transform: NamePattern.argument)
    var names: NamePattern

    func run() async throws {
        _ = try await ControlClient.with(try server.connection()) { client in
            try await client.require([204], .DELETE, "\(ControlPath.retention)/\(names)")
        }
        print("no rule for \(names) any more")
    }
}

struct RetentionApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Take what the rules no longer keep, now.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Tell what would be taken, and take nothing.")
    var dryRun = false

    func run() async throws {
        let findings = try await ControlClient.with(try server.connection()) { client in
            try await client.document(
                [RetentionFindingDocument].self, "\(ControlPath.retention)/apply",
                posting: RetentionRequest(isDryRun: dryRun))
        }
        if json {
            print(try OutputFormat.json(findings))
        } else {
            let verb = dryRun ? "would take" : "took"
            for finding in findings {
                print("\(verb) \(ControlClient.visible(finding.reference)): \(ControlClient.visible(finding.reason))")
            }
            print("\(findings.count) \(findings.count == 1 ? "version" : "versions")")
        }
    }
}
