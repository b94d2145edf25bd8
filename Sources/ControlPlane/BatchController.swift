internal import Artifacts
internal import ControlAPI
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOConcurrencyHelpers
internal import Store

/// How many batches are in memory at once.
final class BatchCount: Sendable {
    private static let limit = 4
    private let count = NIOLockedValueBox(0)

    /// - Throws: `ControlError` 429 when there are enough.
    func enter() throws(ControlError) {
        let isFree = count.withLockedValue { count in
            guard count < Self.limit else { return false }
            count += 1
            return true
        }
        guard isFree else {
            throw ControlError(
                .tooManyRequests, "TOOMANYREQUESTS", "\(Self.limit) batches are under way: send it again in a moment",
                retryAfter: 1)
        }
    }

    func leave() { count.withLockedValue { $0 -= 1 } }
}

/// Many blobs or manifests with one request, for folders of hundreds of thousands of files.
struct BatchController {
    private static let maximumQuestion = 1 << 20
    private static let maximumSizes = 1000
    /// How long a batch may take to come: one that trickles must not keep others out.
    private static let patience = Duration.seconds(300)

    let services: ControlServices
    let caller: Caller

    func missing(_ name: String, _ request: Request) async throws -> Response {
        let name = try ArtifactName(name)
        try caller.require(.push, name)
        let asked = try await request.document(MissingBlobsRequest.self, limit: Self.maximumQuestion)
        guard asked.digests.count + (asked.sizes?.count ?? 0) <= MissingBlobsRequest.maximumCount else {
            throw ControlError(
                .badRequest, "DOCUMENT_INVALID",
                "digests: at most \(MissingBlobsRequest.maximumCount) are allowed at once, with the sizes")
        }
        let holder = asked.isDryRun == true ? nil : "batch \(name)"
        let missing = try services.store.missingBlobs(asked.digests, name: name, holder: holder) {
            caller.may(.pull, $0)
        }
        guard asked.sizes?.count ?? 0 <= Self.maximumSizes else {
            throw ControlError(
                .badRequest, "DOCUMENT_INVALID", "sizes: at most \(Self.maximumSizes) are allowed at once")
        }
        let heldSizes = try asked.sizes.map { try services.store.heldSizes(among: $0, name: name) }
        return try .json(MissingBlobsAnswer(missing: missing, heldSizes: heldSizes))
    }

    func store(_ name: String, _ request: Request) async throws -> Response {
        let name = try ArtifactName(name)
        try caller.require(.push, name)
        guard request.headers[.contentType] == MediaType.blobBatch else {
            throw ControlError(
                .unsupportedMediaType, "UNSUPPORTED", "Content-Type: \(MediaType.blobBatch) is expected here")
        }
        try services.batches.enter()
        defer { services.batches.leave() }
        var reader = BlobBatchReader()
        let start = ContinuousClock.now
        for try await buffer in request.body {
            try reader.add(buffer.readableBytesView)
            guard ContinuousClock.now - start < Self.patience else {
                throw ControlError(
                    .requestTimeout, "BLOB_UPLOAD_INVALID", "the batch takes too long: send smaller ones")
            }
        }
        let blobs = try reader.finish().map { SmallBlob(digest: $0.digest, bytes: $0.bytes) }
        return try .json(StoredBatch(storedCount: try await services.store.storeBatch(blobs, name: name)))
    }

    func publish(_ request: Request) async throws -> Response {
        guard caller.scopes.contains(where: { $0.verbs.contains(.push) }) else {
            throw ControlError(.forbidden, "DENIED", "\(caller.name) may push nothing: use a token that has the scope")
        }
        try services.batches.enter()
        defer { services.batches.leave() }
        let asked = try await request.document(ManifestBatch.self, limit: ManifestBatch.maximumSize)
        guard asked.manifests.count <= ManifestBatch.maximumCount else {
            throw ControlError(
                .badRequest, "DOCUMENT_INVALID",
                "manifests: \(asked.manifests.count) are listed, \(ManifestBatch.maximumCount) are allowed at once")
        }
        let submissions = try asked.manifests.map { entry in
            let name = try ArtifactName(entry.name)
            try caller.require(.push, name)
            guard MediaType.manifests.contains(entry.mediaType) else {
                throw ControlError(
                    .badRequest, "MANIFEST_INVALID", "'\(entry.mediaType)' is no manifest type that this registry takes"
                )
            }
            let bytes = Array(entry.content.utf8)
            let version: Version = try entry.tag.map { .tag(try Tag($0)) } ?? .digest(SHA256.digest(of: bytes))
            return ManifestSubmission(name: name, version: version, mediaType: entry.mediaType, bytes: bytes)
        }
        let digests = try await services.store.publish(submissions, by: caller.name) { caller.may(.promote, $0) }
        services.logger.info("published \(digests.count) manifests", metadata: ["by": "\(caller.name)"])
        return try .json(PublishedBatch(digests: digests), status: .created)
    }
}
