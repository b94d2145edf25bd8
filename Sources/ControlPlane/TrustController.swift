internal import Artifacts
internal import ControlAPI
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import Store
internal import Trust

/// The routes below `/api/v1/trust` and `/api/v1/verdicts`.
struct TrustController {
    /// A keyring of a distribution has some 100 KB.
    private static let maximumKey = 4 << 20

    let services: ControlServices
    let caller: Caller

    /// Public keys and rules: whoever may come in at all may see who is asked to sign.
    func report() throws -> Response {
        let store = services.store
        return try .json(
            TrustReport(keys: store.trustKeys().map(Self.report), rules: store.trustRules().map(TrustRuleReport.init)))
    }

    func add(_ request: Request) async throws -> Response {
        try caller.require(.admin, nil)
        let asked = try await request.document(TrustKeyRequest.self, limit: Self.maximumKey)
        let key = try TrustKey(
            name: asked.name, identity: asked.identity, format: asked.format, text: asked.key,
            keyring: Array((asked.keyring ?? "").utf8), validAfter: asked.validAfter, validBefore: asked.validBefore,
            namespaces: asked.namespaces)
        try services.store.add(key, by: caller.name)
        services.logger.notice("key \(key.name) was added: \(key.fingerprint)", metadata: ["by": "\(caller.name)"])
        return try one(key.name, status: .created)
    }

    func revoke(_ request: Request) async throws -> Response {
        try caller.require(.admin, nil)
        let asked = try await request.document(RevocationRequest.self)
        guard !asked.reason.isEmpty, asked.reason.utf8.count <= 500, asked.reason.utf8.allSatisfy({ $0 >= 32 }) else {
            throw ControlError(
                .badRequest, "DOCUMENT_INVALID", "reason: say why in one line of at most 500 bytes; machines show it")
        }
        try services.store.revokeKey(asked.key, reason: asked.reason, by: caller.name)
        services.logger.notice("key \(asked.key) was revoked: \(asked.reason)", metadata: ["by": "\(caller.name)"])
        return try one(asked.key, status: .ok)
    }

    /// The verdict as it stands.
    func verdict(_ text: String) throws -> Response {
        let reference = try Reference(text)
        try caller.require(.pull, reference.name)
        let (digest, verdict) = try services.store.verdict(reference.version, name: reference.name)
        return try .json(VerdictReport(name: reference.name.description, digest: digest, verdict: verdict))
    }

    /// Verifies everything again.
    func verify(_ text: String) async throws -> Response {
        let reference = try Reference(text)
        try caller.require(.pull, reference.name)
        let (digest, verdict) = try await services.store.verify(
            reference.version, name: reference.name, by: caller.name)
        return try .json(VerdictReport(name: reference.name.description, digest: digest, verdict: verdict))
    }

    private func one(_ name: String, status: HTTPResponse.Status) throws -> Response {
        guard let known = services.store.trustKeys().first(where: { $0.key.name == name }) else {
            throw ControlError(.notFound, "KEY_UNKNOWN", "there is no key '\(name)'")
        }
        return try .json(Self.report(known), status: status)
    }

    private static func report(_ known: KnownKey) -> TrustKeyReport {
        TrustKeyReport(
            name: known.key.name, identity: known.key.identity, format: known.key.format,
            fingerprint: known.key.fingerprint, source: known.source.rawValue, addedAt: known.addedAt,
            validAfter: known.key.validAfter, validBefore: known.key.validBefore,
            revokedAt: known.revocation?.revokedAt, revocationReason: known.revocation?.reason,
            ruleCount: known.ruleCount)
    }
}
