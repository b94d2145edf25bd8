internal import AsyncHTTPClient
internal import ControlAPI
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// Calls of the control plane. One HTTP client for the length of a command.
struct ControlClient: Sendable {
    private static let connectTimeout = TimeAmount.seconds(10)
    /// There is no limit for a whole request: a push takes as long as it takes. A server that says nothing for this
    /// long is gone.
    private static let idleTimeout = TimeAmount.seconds(120)
    private static let maximumDocument = 256 << 20

    let connection: ServerConnection
    private let client: HTTPClient

    /// Runs `body` with a client, and closes it.
    static func with<Value>(_ connection: ServerConnection, _ body: (ControlClient) async throws -> Value) async throws
        -> Value
    {
        var configuration = HTTPClient.Configuration()
        configuration.timeout = .init(connect: connectTimeout, read: idleTimeout)
        configuration.connectionPool.retryConnectionEstablishment = false
        // As many as a push may send at once, and one to ask where they stand: none waits for another's gigabytes.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 32
        configuration.redirectConfiguration = .disallow
        if let certificate = connection.certificate {
            // This one certificate, whatever name the server is called by: it was proven at the login.
            var tls = TLSConfiguration.makeClientConfiguration()
            do {
                tls.trustRoots = .certificates([
                    try NIOSSLCertificate(bytes: Array(certificate.utf8), format: .pem)
                ])
            } catch {
                throw OperatorError(.file, "the stored certificate of \(connection.place) is damaged: log in again")
            }
            tls.certificateVerification = .noHostnameVerification
            configuration.tlsConfiguration = tls
        }
        let client = HTTPClient(configuration: configuration)
        do {
            let value = try await body(ControlClient(connection: connection, client: client))
            try await client.shutdown()
            return value
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    /// Sends a request to a path, or to the URL of a `Location` header, and gives the answer whatever its status.
    /// - Throws: `OperatorError` `unreachable`.
    func send(
        _ method: HTTPMethod, _ location: String, headers: [(String, String)] = [], body: HTTPClientRequest.Body? = nil
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: connection.url(Self.path(location)))
        request.method = method
        request.headers = HTTPHeaders(headers)
        if let token = connection.token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        request.headers.replaceOrAdd(name: "user-agent", value: "artifactctl/\(ProductVersion.current)")
        request.body = body
        do {
            return try await client.execute(request, deadline: .distantFuture)
        } catch let error as OperatorError {
            throw error
        } catch is NIOSSLError {
            throw untrusted
        } catch let error as NIOSSLExtraError where error == .failedToValidateHostname {
            throw untrusted
        } catch {
            throw OperatorError(
                .unreachable,
                "no server at \(connection.place): is it running, and is the address right? (\(Self.explain(error)))")
        }
    }

    private var untrusted: OperatorError {
        OperatorError(
            .unreachable,
            connection.certificate == nil
                ? "the certificate of \(connection.place) is not known here: log in first with 'artifactctl login \(connection.place)'"
                : "\(connection.place) shows another certificate than at the login: somebody stands between, or the server was set up anew; if so, log in again"
        )
    }

    /// Sends a request and insists on one of some statuses.
    /// - Throws: `OperatorError` `refused` with the server's words.
    func require(
        _ statuses: Set<UInt>, _ method: HTTPMethod, _ location: String, headers: [(String, String)] = [],
        body: HTTPClientRequest.Body? = nil
    ) async throws -> HTTPClientResponse {
        let response = try await send(method, location, headers: headers, body: body)
        guard statuses.contains(response.status.code) else { throw await Self.refusal(response) }
        return response
    }

    /// A JSON document.
    func document<Value: Decodable>(_ type: Value.Type, _ path: String, method: HTTPMethod = .GET) async throws -> Value
    {
        try await Self.decode(type, try await require([200], method, path), path)
    }

    /// The pages of a list, one after another: each answer names the next (RFC 8288, `rel="next"`).
    func forEachPage<Value: Decodable>(
        _ type: [Value].Type, _ path: String, _ body: ([Value]) throws -> Void
    ) async throws {
        var next: String? = path
        while let path = next {
            let response = try await require([200], .GET, path)
            next = Self.nextPage(response)
            try body(try await Self.decode(type, response, path))
        }
    }

    private static func nextPage(_ response: HTTPClientResponse) -> String? {
        guard let link = response.headers.first(name: "link"), link.contains("rel=\"next\""),
            let start = link.firstIndex(of: "<"), let end = link.firstIndex(of: ">"), start < end
        else { return nil }
        return Self.path(String(link[link.index(after: start)..<end]))
    }

    /// A JSON document that answers to another one.
    func document<Value: Decodable>(_ type: Value.Type, _ path: String, posting value: some Encodable) async throws
        -> Value
    {
        try await document(type, path, .POST, sending: value)
    }

    /// The same, with another method.
    func document<Value: Decodable>(
        _ type: Value.Type, _ path: String, _ method: HTTPMethod, sending value: some Encodable
    ) async throws -> Value {
        let body = try JSONEncoder().encode(value)
        let response = try await require(
            [200, 201], method, path, headers: [("content-type", "application/json")],
            body: .bytes(ByteBuffer(bytes: body)))
        return try await Self.decode(type, response, path)
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type, _ response: HTTPClientResponse, _ path: String
    ) async throws -> Value {
        let bytes = try await bytes(of: response)
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw OperatorError(.protocolFailure, "the server's answer to \(path) cannot be read: is it a provisioner?")
        }
    }

    /// The whole body, in memory.
    static func bytes(of response: HTTPClientResponse, limit: Int = maximumDocument) async throws -> [UInt8] {
        do {
            return Array((try await response.body.collect(upTo: limit)).readableBytesView)
        } catch {
            throw OperatorError(.unreachable, "the server's answer broke off (\(explain(error)))")
        }
    }

    static func refusal(_ response: HTTPClientResponse) async -> OperatorError {
        let bytes = (try? await bytes(of: response, limit: 64 << 10)) ?? []
        let status = Int(response.status.code)
        if let document = try? JSONDecoder().decode(ErrorDocument.self, from: Data(bytes)),
            let first = document.errors.first
        {
            return OperatorError(
                .refused, "the server refused: \(Self.visible(first.message)) (\(Self.visible(first.code)), \(status))",
                status: status)
        }
        return OperatorError(.refused, "the server answered \(status) \(response.status.reasonPhrase)", status: status)
    }

    /// A server's words in a terminal: no control character, and none that turns the direction of writing.
    static func visible(_ text: String) -> String {
        String(
            text.prefix(2000).unicodeScalars.map { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: " "
                default: Character(scalar)
                }
            })
    }

    /// A `Location` may be a path or a whole URL; only its path and query count, for the server's own idea of its
    /// address may not be ours.
    private static func path(_ location: String) -> String {
        guard let mark = location.range(of: "://") else { return location }
        let rest = location[mark.upperBound...]
        return rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
    }

    private static func explain(_ error: any Error) -> String {
        if let error = error as? HTTPClientError { return error.shortDescription }
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
        return "\(error)"
    }
}
