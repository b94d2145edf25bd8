internal import ControlAPI
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import Store

/// The routes below `/api/v1/tokens`.
struct TokenController {
    let services: ControlServices
    let caller: Caller

    func list() throws -> Response {
        try caller.require(.admin, nil)
        return try .json(try access().tokens)
    }

    func create(_ request: Request) async throws -> Response {
        try caller.require(.admin, nil)
        let asked = try await request.document(TokenRequest.self)
        let answer = try access().createToken(asked)
        let scopes = answer.summary.scopes.map(\.description).joined(separator: " ")
        try services.store.note(
            "create token", "\(answer.summary.name) (\(answer.summary.id))", scopes, by: caller.name)
        return try .json(answer, status: .created)
    }

    func revoke(_ id: String) throws -> Response {
        try caller.require(.admin, nil)
        let summary = try access().revokeToken(id)
        try services.store.note("revoke token", "\(summary.name) (\(summary.id))", by: caller.name)
        return .empty(.noContent)
    }

    private func access() throws -> OperatorAccess {
        guard let access = services.access else { throw OperatorAccess.absent }
        return access
    }
}
