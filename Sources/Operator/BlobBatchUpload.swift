internal import Artifacts
internal import AsyncHTTPClient
internal import ControlAPI
internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// Sends many small blobs, and asks about many, with one request each.
struct BlobBatchUpload {
    /// Larger files are sent one by one, and can be resumed.
    static let largest = 256 << 10
    /// Blobs in one batch, and their bytes.
    static let count = 2048
    static let size = 8 << 20
    private static let attempts = 5
    /// Others may push as well: a server that has enough to do is asked for so long, each half second.
    private static let patience = 1200

    let client: ControlClient
    let name: ArtifactName
    /// Ask only: nothing is kept for this push.
    var isDryRun = false

    /// Which of some blobs the server does not have.
    func missing(_ digests: some Sequence<Digest>) async throws -> Set<Digest> {
        let all = Array(Set(digests))
        var missing: Set<Digest> = []
        for start in stride(from: 0, to: all.count, by: MissingBlobsRequest.maximumCount) {
            let part = Array(all[start..<min(all.count, start + MissingBlobsRequest.maximumCount)])
            try await Self.retrying {
                let request = MissingBlobsRequest(digests: part, isDryRun: isDryRun ? true : nil)
                let answer = try await client.document(
                    MissingBlobsAnswer.self, "\(ControlPath.missingBlobs)/\(name)", posting: request)
                missing.formUnion(answer.missing)
            }
        }
        return missing
    }

    /// Which of some sizes a blob of the name has.
    func heldSizes(among sizes: [Int64]) async throws -> Set<Int64> {
        guard !sizes.isEmpty else { return [] }
        let request = MissingBlobsRequest(digests: [], sizes: sizes)
        let response = try await client.send(
            .POST, "\(ControlPath.missingBlobs)/\(name)", headers: [("content-type", "application/json")],
            body: .bytes(ByteBuffer(bytes: try JSONEncoder().encode(request))))
        let bytes = try await ControlClient.bytes(of: response)
        guard response.status.code == 200 else {
            // An account that may only ask blob by blob, or a registry that is no provisioner: everything is hashed first.
            return Set(sizes)
        }
        return Set(try JSONDecoder().decode(MissingBlobsAnswer.self, from: Data(bytes)).heldSizes ?? sizes)
    }

    /// - Throws: `OperatorError`. A broken connection is tried again: what has arrived already is taken for there.
    func send(_ blobs: [(digest: Digest, bytes: ByteBuffer)]) async throws {
        guard !blobs.isEmpty else { return }
        var body = ByteBuffer()
        body.reserveCapacity(blobs.reduce(0) { $0 + BlobBatch.headerSize + $1.bytes.readableBytes })
        for blob in blobs {
            body.writeBytes(BlobBatch.header(blob.digest, size: blob.bytes.readableBytes))
            body.writeImmutableBuffer(blob.bytes)
        }
        try await Self.retrying {
            _ = try await client.require(
                [200], .POST, "\(ControlPath.blobs)/\(name)", headers: [("content-type", MediaType.blobBatch)],
                body: .bytes(body))
        }
    }

    /// Publishes manifests together.
    static func publish(_ manifests: [ManifestBatch.Entry], _ client: ControlClient) async throws -> [Digest] {
        guard !manifests.isEmpty else { return [] }
        var digests: [Digest] = []
        try await retrying {
            digests = try await client.document(
                PublishedBatch.self, ControlPath.manifests, posting: ManifestBatch(manifests: manifests)
            ).digests
        }
        return digests
    }

    /// Tries again when the connection broke, and when the server has enough to do.
    static func retrying(_ body: () async throws -> Void) async throws {
        var attempt = 0
        while true {
            do {
                return try await body()
            } catch let error as OperatorError where error.code == .unreachable || error.status == 429 {
                attempt += 1
                guard attempt < (error.status == 429 ? patience : attempts) else { throw error }
                try await Task.sleep(for: .milliseconds(error.status == 429 ? 500 : 1000 * attempt))
            }
        }
    }
}
