internal import Artifacts
internal import ControlAPI
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Store

/// Blobs, manifests and tags of the OCI Distribution specification 1.1, as far as a push and a pull need them.
/// Uploads are in `RegistryController+Uploads`.
struct RegistryController {
    /// Tags in one page, unless fewer are asked for.
    static let tagPageSize = 1000

    let services: ControlServices
    var store: ArtifactStore { services.store }

    func blobHead(_ name: ArtifactName, _ digest: Digest) throws -> Response {
        // A pusher asks this to skip an upload: the answer protects the blob until its manifest comes.
        guard let size = try store.claimBlob(digest, name: name, holder: "head \(name)") else {
            throw StoreError(.blobUnknown, "\(name) does not hold blob \(digest)")
        }
        return Response(status: .ok, headers: Self.blobHeaders(digest, size: size))
    }

    func blob(_ name: ArtifactName, _ digest: Digest) throws -> Response {
        guard let size = try store.blobSize(digest, name: name) else {
            throw StoreError(.blobUnknown, "\(name) does not hold blob \(digest)")
        }
        let reader = try BlobReader(path: store.blobPath(digest), size: size)
        let body = ResponseBody(contentLength: Int(size)) { writer in
            while let chunk = try await reader.next() { try await writer.write(chunk) }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: Self.blobHeaders(digest, size: size), body: body)
    }

    private static func blobHeaders(_ digest: Digest, size: Int64) -> HTTPFields {
        HTTPFields(fields: [
            ("Content-Length", String(size)), ("Content-Type", MediaType.file),
            (ControlHeader.contentDigest, digest.description), ("ETag", "\"\(digest)\""),
        ])
    }

    func manifest(_ name: ArtifactName, _ version: Version, withBody: Bool) throws -> Response {
        let manifest = try store.manifest(version, name: name)
        let headers = HTTPFields(fields: [
            ("Content-Length", String(manifest.bytes.count)), ("Content-Type", manifest.mediaType),
            (ControlHeader.contentDigest, manifest.digest.description), ("ETag", "\"\(manifest.digest)\""),
        ])
        guard withBody else { return Response(status: .ok, headers: headers) }
        return Response(
            status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: manifest.bytes)))
    }

    func putManifest(_ name: ArtifactName, _ version: Version, _ request: Request) async throws -> Response {
        let mediaType = (request.headers[.contentType] ?? MediaType.imageManifest).prefix { $0 != ";" }
        guard MediaType.manifests.contains(String(mediaType)) else {
            throw ControlError(
                .badRequest, "MANIFEST_INVALID",
                "'\(mediaType)' is no manifest type that this registry takes: send \(MediaType.imageManifest)")
        }
        var bytes: [UInt8] = []
        for try await buffer in request.body {
            guard bytes.count + buffer.readableBytes <= Manifest.maximumSize else {
                throw ControlError(
                    .contentTooLarge, "MANIFEST_INVALID", "the manifest has more than \(Manifest.maximumSize) bytes")
            }
            bytes += buffer.readableBytesView
        }
        let digest = try await store.publish(bytes, mediaType: String(mediaType), name: name, version: version)
        services.logger.info("published \(name) \(version) as \(digest)")
        var fields = [
            ("Location", "/v2/\(name)/manifests/\(digest)"), (ControlHeader.contentDigest, digest.description),
        ]
        if let subject = try Manifest(json: bytes).subject {
            fields.append(("OCI-Subject", subject.digest.description))
        }
        return .empty(.created, HTTPFields(fields: fields))
    }

    func tags(_ name: ArtifactName, _ request: Request) throws -> Response {
        let query = request.uri.queryParameters
        let limit = query["n"].flatMap { Int($0) }.map { max(0, min($0, Self.tagPageSize)) } ?? Self.tagPageSize
        let last = query["last"].map(String.init)
        let found = try store.tags(name: name, after: last, limit: limit + 1)
        let page = Array(found.prefix(limit))
        var headers = HTTPFields()
        if found.count > page.count, let next = page.last {
            headers = HTTPFields(fields: [("Link", "</v2/\(name)/tags/list?n=\(limit)&last=\(next)>; rel=\"next\"")])
        }
        return try .json(TagList(name: name.description, tags: page), headers: headers)
    }
}
