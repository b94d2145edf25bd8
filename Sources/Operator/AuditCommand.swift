internal import ArgumentParser
internal import Artifacts
internal import ControlAPI

/// `artifactctl audit [verify]`.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Show or check the log of every change.",
        subcommands: [AuditListCommand.self, AuditVerifyCommand.self], defaultSubcommand: AuditListCommand.self)
}

struct AuditListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "Show the newest changes.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Option(name: .shortAndLong, help: "How many, 1000 at most.")
    var number = 50

    func validate() throws {
        guard (1...1000).contains(number) else { throw ValidationError("--number \(number): 1 to 1000 are possible") }
    }

    func run() async throws {
        let entries = try await ControlClient.with(try server.connection()) { client in
            try await client.document([AuditEntry].self, "\(ControlPath.audit)?newest=\(number)")
        }
        print(json ? try OutputFormat.json(entries) : Self.table(entries))
    }

    static func table(_ entries: [AuditEntry]) -> String {
        OutputFormat.table(
            ["ENTRY", "TIME", "BY", "CHANGE", "OF", "DETAIL"],
            entries.map { entry in
                [
                    String(entry.sequence), OutputFormat.time(entry.at * 1000), ControlClient.visible(entry.actor),
                    ControlClient.visible(entry.action), ControlClient.visible(entry.subject),
                    ControlClient.visible(entry.detail),
                ]
            })
    }
}

struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Fetch the whole log and check its chain of digests.",
        discussion: """
            An entry that was altered, left out or put in breaks the chain. Who rewrote all of it from some entry on has \
            another last digest than the one printed here before: keep that one elsewhere, and give it with --known.
            """)

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: "A digest that an earlier check has printed: it must still be in the log.")
    var known: String?

    /// What was found, for `--json`.
    struct Result: Codable {
        var entries: Int64
        var digest: Digest
    }

    func validate() throws {
        if let known { do { _ = try Digest(known) } catch { throw ValidationError("\(error)") } }
    }

    func run() async throws {
        let known = try known.map { try Digest($0) }
        let result = try await ControlClient.with(try server.connection()) { client in
            var chain = AuditChain()
            var isKnown = known == nil || known == .empty
            while true {
                let page = try await client.document(
                    [AuditEntry].self, "\(ControlPath.audit)?after=\(chain.last?.sequence ?? 0)&limit=1000")
                guard !page.isEmpty else { break }
                for entry in page {
                    do { try chain.check(entry) } catch {
                        throw OperatorError(.digestMismatch, "the audit log: \(error)")
                    }
                    if entry.digest == known { isKnown = true }
                }
            }
            guard isKnown else {
                throw OperatorError(
                    .digestMismatch,
                    "the audit log: no entry has the known digest: it was rewritten, or is another server's")
            }
            return Result(entries: chain.last?.sequence ?? 0, digest: chain.last?.digest ?? .empty)
        }
        print(json ? try OutputFormat.json(result) : "\(result.entries) entries, whole; last digest \(result.digest)")
    }
}
