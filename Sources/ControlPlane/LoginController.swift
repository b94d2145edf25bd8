internal import Artifacts
internal import ControlAPI
internal import Hummingbird
internal import Logging
internal import Store

/// The routes below `/api/v1/login`.
struct LoginController {
    let services: ControlServices
    let caller: Caller

    /// Proves to a client that this server knows the code on its console.
    func challenge(_ request: Request) async throws -> Response {
        try .json(try access().prove(try await request.document(LoginChallenge.self)))
    }

    /// Gives a client that knows the code a token.
    func login(_ request: Request) async throws -> Response {
        let asked = try await request.document(LoginRequest.self)
        let answer = try access().login(asked)
        services.logger.notice("a login was used, and a token given out")
        return try .json(answer)
    }

    /// Makes a code for one more login; for those who are on the machine only.
    func renewCode() throws -> Response {
        guard caller.isLocal else {
            throw ControlError(
                .forbidden, "DENIED",
                "a login code is made on the server itself: run 'artifactctl login-code' there as root")
        }
        let access = try access()
        let code = try access.renewCode(by: caller.name)
        return try .json(LoginCodeAnswer(code: code.text, fingerprint: access.fingerprint.description))
    }

    private func access() throws -> OperatorAccess {
        guard let access = services.access else { throw OperatorAccess.absent }
        return access
    }
}
