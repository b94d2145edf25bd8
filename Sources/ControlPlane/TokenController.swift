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

    /// Whoever may administer may give out any scope, also one that they lack.
    func create(_ request: Request) async throws -> Response {
        try caller.require(.admin, nil)
        let asked = try await request.document(TokenRequest.self)
        return try .json(try access().createToken(asked, by: caller.name), status: .created)
    }

    func revoke(_ id: String) throws -> Response {
        try caller.require(.admin, nil)
        _ = try access().revokeToken(id, by: caller.name)
        return .empty(.noContent)
    }

    private func access() throws -> OperatorAccess {
        guard let access = services.access else { throw OperatorAccess.absent }
        return access
    }
}
