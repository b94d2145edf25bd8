internal import Artifacts
internal import ControlAPI
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import Site
internal import Store

/// The routes below `/api/v1/retention`.
struct RetentionController {
    private static let maximum = 1_000_000

    let services: ControlServices
    let caller: Caller

    func list() throws -> Response {
        try caller.require(.admin, nil)
        return try .json(
            try services.store.retentionRules().map {
                RetentionRuleDocument(
                    names: $0.names, keptVersions: $0.keptVersions, untaggedHours: $0.untaggedHours)
            })
    }

    func set(_ request: Request) async throws -> Response {
        try caller.require(.admin, nil)
        let asked = try await request.document(RetentionRuleDocument.self)
        for (key, value) in [("keptVersions", asked.keptVersions), ("untaggedHours", asked.untaggedHours)] {
            if let value, !(1...Self.maximum).contains(value) {
                throw ControlError(.badRequest, "DOCUMENT_INVALID", "\(key): 1 to \(Self.maximum) is expected")
            }
        }
        guard asked.keptVersions != nil || asked.untaggedHours != nil else {
            throw ControlError(
                .badRequest, "DOCUMENT_INVALID", "keptVersions, untaggedHours: at least one of them is expected")
        }
        try services.store.setRetention(
            RetentionRule(
                names: asked.names, keptVersions: asked.keptVersions, untaggedHours: asked.untaggedHours),
            by: caller.name)
        return try .json(asked)
    }

    func remove(_ names: String) throws -> Response {
        try caller.require(.admin, nil)
        try services.store.removeRetention(names, by: caller.name)
        return .empty(.noContent)
    }

    func apply(_ request: Request) async throws -> Response {
        try caller.require(.admin, nil)
        let asked = try await request.document(RetentionRequest.self)
        let inUse = services.site().artifactsInUse
        let findings =
            asked.isDryRun
            ? try services.store.retentionFindings(inUse: inUse)
            : try services.store.applyRetention(inUse: inUse, by: caller.name)
        return try .json(
            findings.map { RetentionFindingDocument(reference: $0.reference.description, reason: $0.reason) })
    }
}
