internal import ArgumentParser
internal import Artifacts
internal import ControlAPI
internal import Foundation
internal import NIOHTTP1

/// `artifactctl login URL`.
struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Log in to a server on the network, once.",
        discussion: """
            The server shows a code on its console; 'artifactctl login-code' on the server makes another. With it each side
            proves to the other that it knows the code, without sending it: so the certificate that is then pinned is the
            one of the server with that console. A token is stored for the commands that follow.
            """)

    @Argument(help: "The server's URL: https://HOST or https://HOST:PORT.")
    var url: String

    @Option(help: "The code on the server's console; asked for when it is not given.")
    var code: String?

    func validate() throws {
        guard KnownServers.canonical(url)?.hasPrefix("https://") == true else {
            throw ValidationError("'\(url)' must be https://HOST or https://HOST:PORT")
        }
        if let code, LoginCode(code) == nil { throw ValidationError(Self.codeForm(code)) }
    }

    func run() async throws {
        guard let server = KnownServers.canonical(url), let parts = URLComponents(string: server), let host = parts.host
        else { throw ValidationError("'\(url)' must be https://HOST or https://HOST:PORT") }
        let certificate = try await ServerCertificate.fetch(
            host: KnownServers.withoutBrackets(host), port: parts.port ?? 443)
        let code = try self.code.flatMap { LoginCode($0) } ?? ask()
        let environment = ProcessInfo.processInfo.environment
        let path = KnownServers.path(environment: environment)
        var known = try KnownServers.load(path)
        let connection = ServerConnection(place: .url(server), token: nil, certificate: certificate.text)
        let token = try await ControlClient.with(connection) { client in
            try await Login(client: client, code: code, fingerprint: certificate.fingerprint)
                .run(name: Self.name(environment))
        }
        known.servers[server] = .init(certificate: certificate.text, token: token)
        known.last = server
        try known.save(path)
        print("logged in to \(server), certificate \(certificate.fingerprint)")
    }

    private func ask() throws -> LoginCode {
        FileHandle.standardError.write(Data("code on the server's console: ".utf8))
        let line = readLine() ?? ""
        guard let code = LoginCode(line) else { throw OperatorError(.refused, Self.codeForm(line)) }
        return code
    }

    private static func codeForm(_ text: String) -> String {
        "'\(text)' is no code: 16 letters and digits are expected, as ABCD-EFGH-JKMN-PQRS"
    }

    private static func name(_ environment: [String: String]) -> String {
        "\(environment["USER"] ?? "unknown")@\(ProcessInfo.processInfo.hostName)"
    }
}

/// The two steps of a login, over a connection whose certificate is pinned already.
struct Login {
    let client: ControlClient
    let code: LoginCode
    let fingerprint: Digest

    /// The server proves itself first: a token request never goes to one that could not.
    /// - Throws: `OperatorError` `refused` when either side is not believed.
    func run(name: String) async throws -> String {
        guard let bytes = RandomBytes.make(32) else {
            throw OperatorError(.file, "no random numbers on this machine")
        }
        let nonce = Hexadecimal.encode(bytes)
        let answer = try await client.document(
            LoginChallengeAnswer.self, ControlPath.loginChallenge, posting: LoginChallenge(nonce: nonce))
        guard LoginCode.matches(answer.proof, code.serverProof(nonce: nonce, fingerprint: fingerprint)) else {
            throw OperatorError(
                .refused,
                "the server does not know this code: read it on the console again, and whether the fingerprint there is \(fingerprint); if it is another, somebody stands between"
            )
        }
        let request = LoginRequest(
            nonce: nonce, proof: code.clientProof(nonce: nonce, fingerprint: fingerprint), name: name)
        do {
            return try await token(request)
        } catch let error as OperatorError where error.code == .unreachable {
            // The code may be spent already, and only the answer was lost: the same request has the same answer.
            return try await token(request)
        }
    }

    private func token(_ request: LoginRequest) async throws -> String {
        try await client.document(LoginAnswer.self, ControlPath.login, posting: request).token
    }
}

/// `artifactctl login-code`.
struct LoginCodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login-code", abstract: "On the server: make a code for one more login.",
        discussion: "The code before is void. It works over the server's local socket only.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let answer = try await ControlClient.with(
            server.server == nil ? server.localConnection() : try server.connection()
        ) { client in
            try await client.document(LoginCodeAnswer.self, ControlPath.loginCode, method: .POST)
        }
        print(
            json
                ? try OutputFormat.json(answer)
                : "code \(answer.code)\ncertificate \(answer.fingerprint ?? "none")")
    }
}
