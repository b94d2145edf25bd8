internal import Artifacts
internal import ControlAPI
internal import Foundation
internal import Hummingbird
internal import Logging
internal import NIOCore

/// The routes below `/api/v1/login`.
struct LoginController {
    private static let maximumDocument = 16 << 10

    let services: ControlServices

    /// Proves to a client that this server knows the code on its console.
    func challenge(_ request: Request) async throws -> Response {
        try .json(try access().prove(try await document(LoginChallenge.self, request)))
    }

    /// Gives a client that knows the code a token.
    func login(_ request: Request) async throws -> Response {
        let asked = try await document(LoginRequest.self, request)
        let answer = try access().login(asked)
        services.logger.notice(
            "a login was used, and a token given out", metadata: ["name": "\(asked.name.prefix(200))"])
        return try .json(answer)
    }

    /// Makes a code for one more login; for those who are on the machine only.
    func renewCode(_ authorization: Authorization) throws -> Response {
        guard case .local = authorization else {
            throw ControlError(
                .forbidden, "DENIED",
                "a login code is made on the server itself: run 'artifactctl login-code' there as root")
        }
        let access = try access()
        let code = try access.renewCode()
        return try .json(LoginCodeAnswer(code: code.text, fingerprint: access.fingerprint.description))
    }

    private func access() throws -> OperatorAccess {
        guard let access = services.access else {
            throw ControlError(
                .notFound, "NOT_FOUND", "this server takes no logins: it was started without --control on the network")
        }
        return access
    }

    private func document<Value: Decodable>(_ type: Value.Type, _ request: Request) async throws -> Value {
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: Self.maximumDocument)
        } catch {
            throw ControlError(.contentTooLarge, "SIZE_INVALID", "the document is larger than it may be")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(body.readableBytesView))
        } catch {
            throw ControlError(
                .badRequest, "DOCUMENT_INVALID", "the body is not the JSON document that is expected here")
        }
    }
}
