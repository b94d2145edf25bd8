internal import ArgumentParser
internal import Foundation

/// How to reach the server: options win over the environment, the environment over the last login, that over the default
/// socket.
struct ServerOptions: ParsableArguments {
    static let defaultSocket = "/run/provisioner/control.sock"

    @Option(help: "The server's local socket (PROVISIONER_SOCKET; default: \(Self.defaultSocket)).")
    var socket: String?

    @Option(
        help:
            "The server's URL, such as https://artifacts.rack.example.net (PROVISIONER_SERVER); after 'artifactctl login' that server is the default."
    )
    var server: String?

    @Option(help: "A file whose first line is the bearer token (PROVISIONER_TOKEN_FILE).")
    var tokenFile: String?

    func validate() throws {
        if socket != nil, server != nil { throw ValidationError("--socket and --server exclude each other") }
        if let server,
            URL(string: server)?.host == nil || !(server.hasPrefix("http://") || server.hasPrefix("https://"))
        {
            throw ValidationError("--server '\(server)' must be http://HOST:PORT or https://HOST:PORT")
        }
    }

    /// The server on this machine: what earlier logins stored does not count.
    func localConnection(environment: [String: String] = ProcessInfo.processInfo.environment) -> ServerConnection {
        let named = environment["PROVISIONER_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        return ServerConnection(place: .socket(socket ?? named ?? Self.defaultSocket), token: nil)
    }

    /// - Throws: `OperatorError` when the token file cannot be read.
    func connection(environment: [String: String] = ProcessInfo.processInfo.environment) throws -> ServerConnection {
        let token = try (tokenFile ?? environment["PROVISIONER_TOKEN_FILE"]).map { path in
            guard let content = try? String(contentsOfFile: path, encoding: .utf8),
                let line = content.split(whereSeparator: \.isNewline).first
            else { throw OperatorError(.file, "token file \(path) cannot be read, or is empty") }
            return String(line)
        }
        if let socket { return ServerConnection(place: .socket(socket), token: token) }
        let known = try KnownServers.load(KnownServers.path(environment: environment))
        if let server { return ServerConnection(url: server, token: token, known: known) }
        if let socket = environment["PROVISIONER_SOCKET"], !socket.isEmpty {
            return ServerConnection(place: .socket(socket), token: token)
        }
        if let server = environment["PROVISIONER_SERVER"], !server.isEmpty {
            return ServerConnection(url: server, token: token, known: known)
        }
        if let last = known.last { return ServerConnection(url: last, token: token, known: known) }
        return ServerConnection(place: .socket(Self.defaultSocket), token: token)
    }
}

/// Where the server is, and what opens it.
struct ServerConnection: Sendable {
    enum Place: Sendable, Hashable, CustomStringConvertible {
        case socket(String)
        case url(String)

        var description: String {
            switch self {
            case .socket(let path): "socket \(path)"
            case .url(let url): url
            }
        }
    }

    let place: Place
    let token: String?
    /// PEM: the one certificate that is believed; nil for those of this machine's authorities.
    let certificate: String?

    init(place: Place, token: String?, certificate: String? = nil) {
        self.place = place
        self.token = token
        self.certificate = certificate
    }

    /// A server by its URL, with what an earlier login stored; a token that is given wins over the stored one.
    init(url: String, token: String?, known: KnownServers) {
        let entry = KnownServers.canonical(url).flatMap { known.servers[$0] }
        self.init(place: .url(url), token: token ?? entry?.token, certificate: entry?.certificate)
    }

    /// The URL of a path; `http+unix` is AsyncHTTPClient's form for sockets.
    func url(_ path: String) -> String {
        switch place {
        case .socket(let socket):
            let escaped = socket.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? socket
            return "http+unix://\(escaped)\(path)"
        case .url(let base): return (base.hasSuffix("/") ? String(base.dropLast()) : base) + path
        }
    }
}
