internal import Artifacts
internal import ControlAPI
internal import Foundation
internal import HTTPSemantics
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Store

/// Blobs, manifests, tags and referrers of the OCI Distribution specification 1.1. Uploads are in
/// `RegistryController+Uploads`.
struct RegistryController {
    /// Tags, or names, in one page, unless fewer are asked for.
    static let tagPageSize = 1000
    /// Referrers in one page: their descriptors have annotations, and an answer should stay below 4 MiB.
    static let referrerPageSize = 500

    let services: ControlServices
    let caller: Caller
    var store: ArtifactStore { services.store }

    func blobHead(_ name: ArtifactName, _ digest: Digest) throws -> Response {
        // A pusher asks this to skip an upload: the answer protects the blob until its manifest comes. Who only pulls gets an
        // answer and leaves no trace.
        let isPusher = caller.may(.push, name)
        if !isPusher { try caller.require(.pull, name) }
        let found =
            isPusher
            ? try store.claimBlob(digest, name: name, holder: "head \(name)")
            : try store.blobSize(digest, name: name, forReading: true)
        guard let size = found else {
            throw StoreError(.blobUnknown, "\(name) does not hold blob \(digest)")
        }
        return Response(status: .ok, headers: Self.blobHeaders(digest, size: size))
    }

    /// The bytes, or one range of them (RFC 9110 section 14.2).
    func blob(_ name: ArtifactName, _ digest: Digest, _ request: Request) throws -> Response {
        try caller.require(.pull, name)
        guard let size = try store.blobSize(digest, name: name, forReading: true) else {
            throw StoreError(.blobUnknown, "\(name) does not hold blob \(digest)")
        }
        // Bytes under a digest never change, so a condition on them is met or names another blob.
        let isSame = request.headers[text: "if-range"].map { $0 == "\"\(digest)\"" } ?? true
        let range = HTTPByteRange(header: isSame ? request.headers[.range] : nil, size: size)
        var headers = Self.blobHeaders(digest, size: size)
        let part: Range<Int64>
        switch range {
        // Several are never read here: `maximumParts` is one.
        case .whole, .parts: part = 0..<size
        case .part(let wanted):
            part = wanted.lowerBound..<wanted.upperBound + 1
            headers[.contentLength] = String(part.count)
            headers[.contentRange] = "bytes \(wanted.lowerBound)-\(wanted.upperBound)/\(size)"
        case .unsatisfiable:
            var response = try Response.json(
                ErrorDocument(code: "SIZE_INVALID", message: "the blob has \(size) bytes: the range lies outside"),
                status: .rangeNotSatisfiable)
            response.headers[.contentRange] = "bytes */\(size)"
            return response
        }
        let reader = try BlobReader(path: store.blobPath(digest), part: part)
        let body = ResponseBody(contentLength: part.count) { writer in
            while let chunk = try await reader.next() { try await writer.write(chunk) }
            try await writer.finish(nil)
        }
        return Response(status: range == .whole ? .ok : .partialContent, headers: headers, body: body)
    }

    func deleteBlob(_ name: ArtifactName, _ digest: Digest) throws -> Response {
        try caller.require(.delete, name)
        try store.delete(blob: digest, name: name, by: caller.name)
        return .empty(.accepted)
    }

    private static func blobHeaders(_ digest: Digest, size: Int64) -> HTTPFields {
        HTTPFields(fields: [
            ("Content-Length", String(size)), ("Content-Type", MediaType.file),
            (ControlHeader.contentDigest, digest.description), ("ETag", "\"\(digest)\""), ("Accept-Ranges", "bytes"),
        ])
    }

    func manifest(_ name: ArtifactName, _ version: Version, withBody: Bool) throws -> Response {
        try caller.require(.pull, name)
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
        try caller.require(.push, name)
        var bytes: [UInt8] = []
        for try await buffer in request.body {
            guard bytes.count + buffer.readableBytes <= Manifest.maximumSize else {
                throw ControlError(
                    .contentTooLarge, "MANIFEST_INVALID", "the manifest has more than \(Manifest.maximumSize) bytes")
            }
            bytes += buffer.readableBytesView
        }
        // Without a type in the header, the manifest's own counts.
        let named = request.headers[.contentType].map { String($0.prefix { $0 != ";" }) }
        let mediaType = try named ?? Manifest(json: bytes).mediaType ?? MediaType.imageManifest
        guard MediaType.manifests.contains(mediaType) else {
            throw ControlError(
                .badRequest, "MANIFEST_INVALID",
                "'\(mediaType)' is no manifest type that this registry takes: send \(MediaType.imageManifest)")
        }
        let digest = try await store.publish(
            bytes, mediaType: mediaType, name: name, version: version, by: caller.name,
            mayMoveChannel: caller.may(.promote, name))
        services.logger.info("published \(name) \(version) as \(digest)")
        var fields = [
            ("Location", "/v2/\(name)/manifests/\(digest)"), (ControlHeader.contentDigest, digest.description),
        ]
        if let subject = try Manifest(json: bytes).subject {
            fields.append(("OCI-Subject", subject.digest.description))
        }
        return .empty(.created, HTTPFields(fields: fields))
    }

    func deleteManifest(_ name: ArtifactName, _ version: Version) throws -> Response {
        try caller.require(.delete, name)
        switch version {
        case .tag(let tag): try store.delete(tag, name: name, by: caller.name)
        case .digest(let digest): try store.delete(manifest: digest, name: name, by: caller.name)
        }
        services.logger.notice("deleted \(name) \(version)", metadata: ["by": "\(caller.name)"])
        return .empty(.accepted)
    }

    /// A page of the names that the caller may pull from: `?n=N&last=NAME`, and `Link` names the next.
    func names(_ request: Request) throws -> Response {
        let query = request.uri.queryParameters
        let limit = query["n"].flatMap { Int($0) }.map { max(0, min($0, Self.tagPageSize)) } ?? Self.tagPageSize
        // What the caller may not pull is passed over, also as a place to go on from.
        var found: [ArtifactName] = []
        var last = query["last"].map(String.init) ?? ""
        while found.count <= limit {
            let names = try store.names(after: last, limit: max(limit, 100) + 1)
            guard let end = names.last else { break }
            found += names.filter { caller.may(.pull, $0) }
            last = end.description
        }
        let page = found.prefix(limit)
        var headers = HTTPFields()
        if found.count > page.count, let next = page.last {
            headers = HTTPFields(fields: [("Link", "</v2/_catalog?n=\(limit)&last=\(next)>; rel=\"next\"")])
        }
        return try .json(
            NameList(repositories: page.map(\.description)), headers: headers)
    }

    func referrers(_ name: ArtifactName, _ subject: Digest, _ request: Request) throws -> Response {
        try caller.require(.pull, name)
        let query = request.uri.queryParameters
        let type = query["artifactType"].map(String.init)
        let last = try query["last"].map { try Digest(String($0)) }
        let found = try store.referrers(
            of: subject, name: name, artifactType: type, after: last, limit: Self.referrerPageSize)
        let list = Manifest(index: found.list)
        var fields: [(String, String)] = []
        if type != nil { fields.append(("OCI-Filters-Applied", "artifactType")) }
        if let next = found.last {
            let filter = type.flatMap { $0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) }
            let query = "last=\(next)" + (filter.map { "&artifactType=\($0)" } ?? "")
            fields.append(("Link", "</v2/\(name)/referrers/\(subject)?\(query)>; rel=\"next\""))
        }
        var response = try Response.json(list, headers: HTTPFields(fields: fields))
        response.headers[.contentType] = MediaType.imageIndex
        return response
    }

    func tags(_ name: ArtifactName, _ request: Request) throws -> Response {
        try caller.require(.pull, name)
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
