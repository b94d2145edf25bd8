package import ControlAPI
internal import Foundation
internal import HTTPTypes
package import Hosts
package import Hummingbird
package import Logging
package import Site
package import Store

/// What the control plane works with.
package struct ControlServices: Sendable {
    package let store: ArtifactStore
    package let ledger: HostLedger
    package let site: @Sendable () -> Site
    /// How the server is.
    package let status: @Sendable () -> ServerStatus
    /// Who may log in over the network; nil where nobody can.
    package let access: OperatorAccess?
    package let logger: Logger

    package init(
        store: ArtifactStore, ledger: HostLedger, site: @escaping @Sendable () -> Site,
        status: @escaping @Sendable () -> ServerStatus, access: OperatorAccess?, logger: Logger
    ) {
        self.store = store
        self.ledger = ledger
        self.site = site
        self.status = status
        self.access = access
        self.logger = logger
    }
}

/// Answers every request of one listener of the control plane: checks who calls, finds the route, turns errors into
/// answers.
package struct ControlResponder: HTTPResponder {
    package typealias Context = BasicRequestContext

    private let services: ControlServices
    private let authorization: Authorization
    /// Routes call the store, which blocks.
    private let executor = BlockingTaskExecutor()

    package init(services: ControlServices, authorization: Authorization) {
        self.services = services
        self.authorization = authorization
    }

    package func respond(to request: Request, context: Context) async throws -> Response {
        let id = context.id
        var response: Response
        do {
            try authorization.check(request.headers, path: request.uri.path)
            response = try await withTaskExecutorPreference(executor) { try await route(request) }
        } catch {
            response = try failure(ControlError(error), request, id)
        }
        // A body after the answer to a HEAD would be read as the start of the next answer.
        if request.method == .head { response = response.createHeadResponse() }
        response.headers.append(contentsOf: HTTPFields(fields: [(ControlHeader.requestID, id)]))
        services.logger.debug("\(request.method) \(request.uri) -> \(response.status.code)", metadata: ["id": "\(id)"])
        return response
    }

    /// Every route of the control plane.
    private func route(_ request: Request) async throws -> Response {
        let path = request.uri.path.removingPercentEncoding ?? request.uri.path
        let registry = RegistryController(services: services)
        let admin = AdminController(services: services)
        if let route = try RegistryRoute(path: path) {
            switch (request.method, route) {
            case (.get, .base), (.head, .base): return .empty(.ok)
            case (.head, .blob(let name, let digest)): return try registry.blobHead(name, digest)
            case (.get, .blob(let name, let digest)): return try registry.blob(name, digest)
            case (.post, .startUpload(let name)): return try await registry.startUpload(name, request)
            case (.patch, .upload(let name, let id)): return try await registry.appendUpload(name, id, request)
            case (.put, .upload(let name, let id)): return try await registry.finishUpload(name, id, request)
            case (.get, .upload(let name, let id)): return try await registry.uploadStatus(name, id)
            case (.delete, .upload(let name, let id)): return try await registry.cancelUpload(name, id)
            case (.get, .manifest(let name, let version)), (.head, .manifest(let name, let version)):
                return try registry.manifest(name, version, withBody: request.method == .get)
            case (.put, .manifest(let name, let version)):
                return try await registry.putManifest(name, version, request)
            case (.get, .tags(let name)): return try registry.tags(name, request)
            default: throw ControlError(.methodNotAllowed, "UNSUPPORTED", "\(request.method) is not supported here")
            }
        }
        let login = LoginController(services: services)
        let parts = path.split(separator: "/").map(String.init)
        switch (request.method, parts.count, parts.prefix(3)) {
        case (.get, 3, ["api", "v1", "status"]): return try .json(services.status())
        case (.post, 4, ["api", "v1", "login"]) where parts[3] == "challenge": return try await login.challenge(request)
        case (.post, 4, ["api", "v1", "login"]) where parts[3] == "code": return try login.renewCode(authorization)
        case (.post, 3, ["api", "v1", "login"]): return try await login.login(request)
        case (.get, 3, ["api", "v1", "artifacts"]): return try admin.artifacts()
        case (.get, 3, ["api", "v1", "hosts"]): return try admin.hosts()
        case (.get, 4, ["api", "v1", "hosts"]): return try admin.host(parts[3])
        case (.post, 5, ["api", "v1", "hosts"]) where parts[4] == "arm": return try admin.arm(parts[3])
        default: throw ControlError(.notFound, "NOT_FOUND", "there is nothing at \(path)")
        }
    }

    private func failure(_ error: ControlError, _ request: Request, _ id: String) throws -> Response {
        if error.status.kind == .serverError || error.cause != nil {
            services.logger.error(
                "\(request.method) \(request.uri): \(error.document.errors.first?.message ?? "")",
                metadata: ["id": "\(id)", "cause": "\(error.cause ?? "none")"])
        }
        var response = try Response.json(error.document, status: error.status)
        if error.status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer realm=\"provisioner\"" }
        return response
    }
}
