internal import ArgumentParser
internal import Artifacts
internal import ControlAPI
internal import Trust

/// `artifactctl trust ls|add|revoke`.
struct TrustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "List, add and revoke the keys that signatures are verified with.",
        discussion: """
            Which versions need whose signatures, the site file says under trust.policies. Keys stand there too, or are added here.

              artifactctl trust ls
              artifactctl trust add alice --ssh ~/.ssh/id_ed25519.pub --identity alice@example.net
              artifactctl trust add ubuntu-cd --openpgp 843938DF228D22F7B3742BC0D94AA3F0EFE21092 --keyring ubuntu-cd.asc
              artifactctl trust revoke alice --reason 'laptop lost'
            """,
        subcommands: [TrustListCommand.self, TrustAddCommand.self, TrustRevokeCommand.self],
        defaultSubcommand: TrustListCommand.self)
}

struct TrustListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List the keys, and the site's rules.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let report = try await ControlClient.with(try server.connection()) { client in
            try await client.document(TrustReport.self, ControlPath.trust)
        }
        print(json ? try OutputFormat.json(report) : Self.text(report))
    }

    static func text(_ report: TrustReport) -> String {
        let keys = OutputFormat.table(
            ["KEY", "IDENTITY", "FORMAT", "FROM", "RULES", "STANDING", "FINGERPRINT"],
            report.keys.map { key in
                [
                    key.name, key.identity, key.format.rawValue, key.source,
                    "\(key.ruleCount)", standing(key), key.fingerprint,
                ]
            })
        guard !report.rules.isEmpty else { return keys + "\n\nno rules: nothing needs a signature" }
        let rules = OutputFormat.table(
            ["ARTIFACTS", "PATHS", "NEED", "OF", "NO OLDER THAN", "ELSE"],
            report.rules.map { rule in
                [
                    rule.artifacts.map(\.description).joined(separator: " "),
                    rule.paths.isEmpty ? "all" : rule.paths.joined(separator: " "), "\(rule.threshold)",
                    rule.signers.joined(separator: " "), rule.maximumAge.map { "\($0 / 86_400) d" } ?? "-",
                    rule.onMissing.rawValue,
                ]
            })
        return keys + "\n\n" + rules
    }

    private static func standing(_ key: TrustKeyReport) -> String {
        if let time = key.revokedAt { return "revoked \(TrustDate.text(time)): \(key.revocationReason ?? "")" }
        switch (key.validAfter, key.validBefore) {
        case (nil, nil): return "good"
        case (let start?, nil): return "from \(TrustDate.text(start))"
        case (nil, let end?): return "until \(TrustDate.text(end))"
        case (let start?, let end?): return "\(TrustDate.text(start)) to \(TrustDate.text(end))"
        }
    }
}

struct TrustRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke a key, for good: what rests on it stops booting at once.",
        discussion: "No signature of it counts any more, also none that came before. Sign again with another key.")

    @OptionGroup var server: ServerOptions

    @Option(help: "Why, in one line: machines show it.")
    var reason: String

    @Argument(help: "The key's name, as 'trust ls' shows it.")
    var key: String

    func run() async throws {
        let report = try await ControlClient.with(try server.connection()) { client in
            try await client.document(
                TrustKeyReport.self, "\(ControlPath.trust)/revocations",
                posting: RevocationRequest(key: key, reason: reason))
        }
        print("\(report.name) is revoked: \(report.fingerprint)")
    }
}
