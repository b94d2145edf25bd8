internal import Artifacts
internal import ControlAPI
internal import HTTPSemantics
internal import HTTPTypes
internal import Hummingbird
internal import Store

/// Uploads of blobs (OCI Distribution specification 1.1, "Pushing Blobs"). A session that met an error of its client
/// stays, so that the client can ask where it stands and go on.
extension RegistryController {
    /// `POST`: mounts a blob, takes a whole one, or opens a session.
    func startUpload(_ name: ArtifactName, _ request: Request) async throws -> Response {
        let query = request.uri.queryParameters
        try caller.require(.push, name)
        // What cannot be mounted, for whatever reason, is uploaded (specification, "Mounting a blob").
        if let text = query["mount"], let digest = try? Digest(String(text)),
            try mount(digest, from: query["from"].map(String.init), to: name)
        {
            return created(name, digest)
        }
        let size = request.headers[text: ControlHeader.uploadLength].flatMap { Int64($0) }.flatMap {
            $0 >= 0 ? $0 : nil
        }
        if let text = query["digest"] {
            let digest = try Digest(String(text))
            let upload = try store.beginUpload(name: name, size: size, digest: digest)
            do {
                try await receive(request, into: upload, at: 0, finish: digest)
            } catch {
                try? await upload.cancel()
                store.forget(upload)
                throw error
            }
            return created(name, digest)
        }
        let upload = try store.beginUpload(name: name, size: size)
        return try await status(.accepted, upload)
    }

    /// Without a source, any name that the caller may read will do: one that they may not is no way around their
    /// scopes, even for those who know a digest.
    private func mount(_ digest: Digest, from source: String?, to name: ArtifactName) throws -> Bool {
        if let source {
            guard let source = try? ArtifactName(source) else { return false }
            return try caller.may(.pull, source) && store.mount(digest, from: source, to: name)
        }
        guard let found = try store.holders(of: digest).first(where: { caller.may(.pull, $0) }) else { return false }
        return try store.mount(digest, from: found, to: name)
    }

    /// `PATCH`: the next piece, at `Content-Range` when there is one, else where the session stands.
    func appendUpload(_ name: ArtifactName, _ id: String, _ request: Request) async throws -> Response {
        try caller.require(.push, name)
        let upload = try store.upload(id, name: name)
        do {
            try await receive(request, into: upload, at: try Self.offset(request), finish: nil)
        } catch let error as StoreError where error.code == .offsetMismatch {
            return try await wrongOffset(error, upload)
        }
        return try await status(.accepted, upload)
    }

    /// `PUT`: the last piece, if there is one, and the digest of the whole.
    func finishUpload(_ name: ArtifactName, _ id: String, _ request: Request) async throws -> Response {
        try caller.require(.push, name)
        let upload = try store.upload(id, name: name)
        guard let text = request.uri.queryParameters["digest"] else {
            throw ControlError(.badRequest, "DIGEST_INVALID", "the digest is missing: add ?digest=sha256:HEX")
        }
        let digest = try Digest(String(text))
        do {
            try await receive(request, into: upload, at: try Self.offset(request), finish: digest)
        } catch let error as StoreError where error.code == .offsetMismatch {
            return try await wrongOffset(error, upload)
        }
        return created(name, digest)
    }

    func uploadStatus(_ name: ArtifactName, _ id: String) async throws -> Response {
        try caller.require(.push, name)
        return try await status(.noContent, try store.upload(id, name: name))
    }

    func cancelUpload(_ name: ArtifactName, _ id: String) async throws -> Response {
        try caller.require(.push, name)
        let upload = try store.upload(id, name: name)
        try await upload.cancel()
        store.forget(upload)
        return .empty(.noContent)
    }

    /// Streams a body into a session, in pieces as they come: memory does not grow with the blob. When the connection
    /// ends early, what came is made durable, so that the client can go on from there.
    private func receive(_ request: Request, into upload: Upload, at offset: Int64?, finish digest: Digest?)
        async throws
    {
        let turn = try await upload.begin(at: offset)
        do {
            do {
                try await UploadBody(body: request.body, upload: upload, turn: turn).receive()
            } catch {
                try? await upload.checkpoint(turn: turn)
                throw error
            }
            if let digest {
                try await upload.finish(digest, turn: turn)
                store.forget(upload)
            } else {
                try await upload.checkpoint(turn: turn)
            }
        } catch {
            if await upload.hasEnded { store.forget(upload) }
            throw error
        }
    }

    /// The first byte of `Content-Range: FIRST-LAST`, the specification's form, or of `bytes FIRST-LAST/TOTAL`.
    private static func offset(_ request: Request) throws -> Int64? {
        guard let text = request.headers[.contentRange] else { return nil }
        guard let range = HTTPContentRange(header: text) else {
            throw ControlError(.badRequest, "BLOB_UPLOAD_INVALID", "Content-Range '\(text)' must be FIRST-LAST")
        }
        if let length = request.headers[.contentLength].flatMap({ Int64($0) }), length != range.length {
            throw ControlError(
                .badRequest, "SIZE_INVALID", "Content-Range '\(text)' and Content-Length \(length) do not agree")
        }
        return range.first
    }

    private func wrongOffset(_ error: StoreError, _ upload: Upload) async throws -> Response {
        var response = try Response.json(
            ErrorDocument(code: "BLOB_UPLOAD_INVALID", message: error.message), status: .rangeNotSatisfiable)
        response.headers.append(contentsOf: try await Self.place(upload))
        return response
    }

    private func status(_ status: HTTPResponse.Status, _ upload: Upload) async throws -> Response {
        .empty(status, try await Self.place(upload))
    }

    private static func place(_ upload: Upload) async throws -> HTTPFields {
        let offset = try await upload.durable()
        return HTTPFields(fields: [
            ("Location", "/v2/\(upload.name)/blobs/uploads/\(upload.id)"), ("Range", "0-\(max(0, offset - 1))"),
            (ControlHeader.uploadOffset, String(offset)), ("Docker-Upload-UUID", upload.id),
        ])
    }

    private func created(_ name: ArtifactName, _ digest: Digest) -> Response {
        .empty(
            .created,
            HTTPFields(fields: [
                ("Location", "/v2/\(name)/blobs/\(digest)"), (ControlHeader.contentDigest, digest.description),
            ]))
    }
}
