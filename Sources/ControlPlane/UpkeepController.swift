internal import Artifacts
internal import ControlAPI
internal import Hummingbird
internal import Logging
internal import Store

/// The routes that look after the store: `/api/v1/collection` and `/api/v1/scrub`.
struct UpkeepController {
    let services: ControlServices
    let caller: Caller

    func collect(_ request: Request) async throws -> Response {
        try caller.require(.admin, nil)
        let asked = try await request.document(CollectionRequest.self)
        var rules = services.collection
        rules.hasBrake = !asked.overridesBrake
        let report =
            asked.isDryRun
            ? try services.store.survey(rules) : try services.store.collect(rules, by: caller.name)
        for failure in report.failures { services.logger.error("collection: \(failure)") }
        return try .json(
            CollectionSummary(
                isDryRun: asked.isDryRun, referenced: Self.share(report.referenced), leased: Self.share(report.leased),
                recent: Self.share(report.recent), unneeded: Self.share(report.unneeded),
                trashed: Self.share(report.trashed), removed: Self.share(report.removed),
                // Causes name paths of the server: they are for its log.
                failures: report.failures.map {
                    String($0.prefix { $0 != " " }) + " was not moved: see the server's log"
                },
                examples: report.examples))
    }

    func scrub() throws -> Response {
        try caller.require(.admin, nil)
        let state = try services.store.scrubState()
        return try .json(
            ScrubSummary(
                remainingCount: state.remainingCount, remainingBytes: state.remainingBytes,
                passEndedAt: state.passEndedAt,
                corrupt: state.corrupt.map {
                    ScrubSummary.Blob(digest: $0.digest, size: $0.size, references: $0.references.map(\.description))
                }))
    }

    private static func share(_ share: CollectionReport.Share) -> CollectionSummary.Share {
        CollectionSummary.Share(count: share.count, bytes: share.bytes)
    }
}
