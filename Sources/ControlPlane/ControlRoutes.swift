internal import Artifacts
internal import ControlAPI
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Every route of the control plane, with what a caller needs for it.
struct ControlRoutes {
    let services: ControlServices
    let caller: Caller

    func answer(_ request: Request) async throws -> Response {
        let path = request.uri.path.removingPercentEncoding ?? request.uri.path
        do {
            if let route = try RegistryRoute(path: path) { return try await registry(route, request) }
        } catch let error as ArtifactError where error.code == .invalidTag && [.get, .head].contains(request.method) {
            // Who asks for a tag that cannot be is told what the conformance program expects: it is not there.
            throw ControlError(.notFound, "MANIFEST_UNKNOWN", error.message)
        }
        if path == "/metrics", [.get, .head].contains(request.method) {
            return try MetricsController(services: services).metrics()
        }
        guard path.hasPrefix("/api/v1/") else { throw nothing(path) }
        let parts = path.dropFirst("/api/v1/".count).split(separator: "/").map(String.init)
        guard let first = parts.first else { throw nothing(path) }
        return try await administration(first, Array(parts.dropFirst()), request, path)
    }

    private func registry(_ route: RegistryRoute, _ request: Request) async throws -> Response {
        let registry = RegistryController(services: services, caller: caller)
        switch (request.method, route) {
        case (.get, .base), (.head, .base):
            return .empty(.ok, HTTPFields(fields: [("Docker-Distribution-Api-Version", "registry/2.0")]))
        case (.get, .names): return try registry.names(request)
        case (.head, .blob(let name, let digest)): return try registry.blobHead(name, digest)
        case (.get, .blob(let name, let digest)): return try registry.blob(name, digest, request)
        case (.delete, .blob(let name, let digest)): return try registry.deleteBlob(name, digest)
        case (.post, .startUpload(let name)): return try await registry.startUpload(name, request)
        case (.patch, .upload(let name, let id)): return try await registry.appendUpload(name, id, request)
        case (.put, .upload(let name, let id)): return try await registry.finishUpload(name, id, request)
        case (.get, .upload(let name, let id)): return try await registry.uploadStatus(name, id)
        case (.delete, .upload(let name, let id)): return try await registry.cancelUpload(name, id)
        case (.get, .manifest(let name, let version)), (.head, .manifest(let name, let version)):
            return try registry.manifest(name, version, withBody: request.method == .get)
        case (.put, .manifest(let name, let version)): return try await registry.putManifest(name, version, request)
        case (.delete, .manifest(let name, let version)): return try registry.deleteManifest(name, version)
        case (.get, .tags(let name)): return try registry.tags(name, request)
        case (.get, .referrers(let name, let digest)): return try registry.referrers(name, digest, request)
        default: throw unsupported(request)
        }
    }

    private func administration(_ first: String, _ rest: [String], _ request: Request, _ path: String) async throws
        -> Response
    {
        let admin = AdminController(services: services, caller: caller)
        let login = LoginController(services: services, caller: caller)
        let tokens = TokenController(services: services, caller: caller)
        let channels = ChannelController(services: services, caller: caller)
        let upkeep = UpkeepController(services: services, caller: caller)
        let retention = RetentionController(services: services, caller: caller)
        let batches = BatchController(services: services, caller: caller)
        let quotas = QuotaController(services: services, caller: caller)
        let trust = TrustController(services: services, caller: caller)
        switch (request.method, first, rest.count) {
        case (.get, "status", 0): return try .json(admin.status())
        case (.get, "openapi.json", 0):
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: PackageResources.openapi_json)))
        case (.post, "login", 0): return try await login.login(request)
        case (.post, "login", 1) where rest[0] == "challenge": return try await login.challenge(request)
        case (.post, "login", 1) where rest[0] == "code": return try login.renewCode()
        case (.get, "artifacts", 0): return try admin.artifacts(request)
        case (.post, "missing-blobs", 1...): return try await batches.missing(rest.joined(separator: "/"), request)
        case (.post, "blobs", 1...): return try await batches.store(rest.joined(separator: "/"), request)
        case (.post, "manifests", 0): return try await batches.publish(request)
        case (.get, "quotas", 0): return try quotas.list()
        case (.put, "quotas", 0): return try await quotas.set(request)
        case (.delete, "quotas", 1...): return try quotas.remove(rest.joined(separator: "/"))
        case (.get, "trust", 0): return try trust.report()
        case (.post, "trust", 1) where rest[0] == "keys": return try await trust.add(request)
        case (.post, "trust", 1) where rest[0] == "revocations": return try await trust.revoke(request)
        case (.get, "archives", 1...):
            return try ArchiveController(services: services, caller: caller).list(rest.joined(separator: "/"))
        case (.get, "verdicts", 1...): return try trust.verdict(rest.joined(separator: "/"))
        case (.post, "verdicts", 1...): return try await trust.verify(rest.joined(separator: "/"))
        case (.get, "hosts", 0): return try admin.hosts()
        case (.get, "hosts", 1): return try admin.host(rest[0])
        case (.post, "hosts", 2) where rest[1] == "arm": return try admin.arm(rest[0])
        case (.get, "audit", 0): return try admin.audit(request)
        case (.post, "collection", 0): return try await upkeep.collect(request)
        case (.get, "scrub", 0): return try upkeep.scrub()
        case (.get, "retention", 0): return try retention.list()
        case (.put, "retention", 0): return try await retention.set(request)
        case (.delete, "retention", 1...): return try retention.remove(rest.joined(separator: "/"))
        case (.post, "retention", 1) where rest[0] == "apply": return try await retention.apply(request)
        case (.get, "tokens", 0): return try tokens.list()
        case (.post, "tokens", 0): return try await tokens.create(request)
        case (.delete, "tokens", 1): return try tokens.revoke(rest[0])
        case (.get, "channels", 1...): return try channels.report(rest.joined(separator: "/"))
        case (.put, "channels", 1...): return try await channels.promote(rest.joined(separator: "/"), request)
        case (.post, "channels", 2...) where rest.last == "rollback":
            return try await channels.rollBack(rest.dropLast().joined(separator: "/"), request)
        default: throw nothing(path)
        }
    }

    private func nothing(_ path: String) -> ControlError {
        ControlError(.notFound, "NOT_FOUND", "there is nothing at \(path.prefix(200))")
    }

    private func unsupported(_ request: Request) -> ControlError {
        ControlError(.methodNotAllowed, "UNSUPPORTED", "\(request.method) is not supported here")
    }
}

extension Request {
    /// The body as a JSON document of at most `limit` bytes.
    /// - Throws: `ControlError` 413 or 400.
    func document<Value: Decodable>(_ type: Value.Type, limit: Int = 64 << 10) async throws -> Value {
        let bytes: [UInt8]
        do {
            bytes = Array((try await body.collect(upTo: limit)).readableBytesView)
        } catch {
            throw ControlError(.contentTooLarge, "SIZE_INVALID", "the document is larger than it may be")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
            throw ControlError(
                .badRequest, "DOCUMENT_INVALID",
                "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)")
        } catch {
            throw ControlError(
                .badRequest, "DOCUMENT_INVALID", "the body is not the JSON document that is expected here")
        }
    }
}
