internal import Artifacts
internal import ControlAPI
internal import HTTPTypes
internal import Hummingbird
internal import Store

/// The routes below `/api/v1/quotas`.
struct QuotaController {
    let services: ControlServices
    let caller: Caller

    func list() throws -> Response {
        try caller.require(.admin, nil)
        return try .json(
            try services.store.quotas().map {
                QuotaDocument(names: $0.quota.names, limit: $0.quota.limit, used: $0.used)
            })
    }

    func set(_ request: Request) async throws -> Response {
        try caller.require(.admin, nil)
        let asked = try await request.document(QuotaDocument.self)
        guard asked.limit >= 0 else {
            throw ControlError(.badRequest, "DOCUMENT_INVALID", "limit: a number of bytes from 0 is expected")
        }
        try services.store.setQuota(Quota(names: asked.names, limit: asked.limit), by: caller.name)
        return try .json(QuotaDocument(names: asked.names, limit: asked.limit))
    }

    func remove(_ names: String) throws -> Response {
        try caller.require(.admin, nil)
        try services.store.removeQuota(names, by: caller.name)
        return .empty(.noContent)
    }
}
