internal import ArgumentParser
internal import ControlAPI
internal import Foundation
internal import NIOHTTP1

/// `artifactctl token create|ls|revoke`.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Give out, list and revoke tokens for programs and people.",
        subcommands: [TokenCreateCommand.self, TokenListCommand.self, TokenRevokeCommand.self])
}

struct TokenCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Give out a token; it is shown this once.",
        discussion: """
            A scope is NAMES:VERB,VERB. NAMES is one artifact name, a prefix that ends in /*, or * for all; verbs are pull, \
            push, delete, promote and, for all names, admin. Registry clients send the token as the password of any user.

              artifactctl token create ci --scope 'debian/*:pull,push' --expires 90d
              artifactctl token create backup --scope '*:pull'
            """)

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: "What the token may do; more than once for more.")
    var scope: [String]

    @Option(help: "When it ends: a number with m, h, d or w for minutes, hours, days or weeks; never, when not given.")
    var expires: String?

    @Argument(help: "Whose it is: shown in lists and in the audit log.")
    var name: String

    func validate() throws {
        guard !scope.isEmpty else { throw ValidationError("--scope is missing: say what the token may do") }
        do { for text in scope { _ = try AccessScope(text) } } catch { throw ValidationError("\(error)") }
        if let expires, Self.seconds(expires) == nil {
            throw ValidationError("--expires \(expires): write a number with m, h, d or w, as 90d")
        }
    }

    /// nil for what is no length of time, or one of more than ten years.
    static func seconds(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["m": 60, "h": 3600, "d": 86400, "w": 7 * 86400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), count > 0,
            count <= 10 * 366 * 86400 / unit
        else { return nil }
        return count * unit
    }

    func run() async throws {
        let request = TokenRequest(
            name: name, scopes: try scope.map { try AccessScope($0) }, lifetime: expires.flatMap(Self.seconds))
        let answer = try await ControlClient.with(try server.connection()) { client in
            try await client.document(TokenAnswer.self, ControlPath.tokens, posting: request)
        }
        if json {
            print(try OutputFormat.json(answer))
        } else {
            print(answer.token)
            FileHandle.standardError.write(
                Data("token \(answer.summary.id) of \(answer.summary.name): it is not shown again\n".utf8))
        }
    }
}

struct TokenListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List the tokens that were given out.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let list = try await ControlClient.with(try server.connection()) { client in
            try await client.document([TokenSummary].self, ControlPath.tokens)
        }
        print(json ? try OutputFormat.json(list) : Self.table(list))
    }

    static func table(_ list: [TokenSummary]) -> String {
        OutputFormat.table(
            ["ID", "NAME", "SCOPES", "MADE", "EXPIRES"],
            list.map { token in
                [
                    token.id, ControlClient.visible(token.name), token.scopes.map(\.description).joined(separator: " "),
                    OutputFormat.time(token.createdAt * 1000),
                    token.expiresAt.map { OutputFormat.time($0 * 1000) } ?? "never",
                ]
            })
    }
}

struct TokenRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Void a token at once.")

    @OptionGroup var server: ServerOptions

    @Argument(help: "The token's ID, as 'artifactctl token ls' shows it.")
    var id: String

    func validate() throws {
        guard !id.isEmpty, id.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            throw ValidationError("'\(id)' is no token ID: 'artifactctl token ls' shows them")
        }
    }

    func run() async throws {
        _ = try await ControlClient.with(try server.connection()) { client in
            try await client.require([204], .DELETE, "\(ControlPath.tokens)/\(id)")
        }
        print("token \(id) is void")
    }
}
