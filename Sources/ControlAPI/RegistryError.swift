/// The error document of the OCI Distribution specification 1.1 ("Error Codes"); admin routes use it too, so a client
/// reads one form.
package struct ErrorDocument: Codable, Hashable, Sendable {
    package struct Entry: Codable, Hashable, Sendable {
        /// `BLOB_UNKNOWN` and so on.
        package var code: String
        package var message: String

        package init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    package var errors: [Entry]

    package init(code: String, message: String) { errors = [Entry(code: code, message: message)] }
}

/// `GET /v2/NAME/tags/list`.
package struct TagList: Codable, Hashable, Sendable {
    package var name: String
    package var tags: [String]

    package init(name: String, tags: [String]) {
        self.name = name
        self.tags = tags
    }
}

/// `GET /v2/_catalog`: the names of what was published.
package struct NameList: Codable, Hashable, Sendable {
    package var repositories: [String]

    package init(repositories: [String]) { self.repositories = repositories }
}

/// Header fields beside those of the specification.
package enum ControlHeader {
    /// On `POST .../blobs/uploads/`: the bytes that will come, so that room is reserved before the first.
    package static let uploadLength = "Upload-Length"
    /// On every answer about an upload: the next byte that is expected. `Range: 0-0` cannot tell none from one.
    package static let uploadOffset = "Upload-Offset"
    package static let contentDigest = "Docker-Content-Digest"
    /// On every answer: what the log knows the request by.
    package static let requestID = "X-Request-Id"
}

/// Paths that more than one place must know.
package enum ControlPath {
    package static let status = "/api/v1/status"
    package static let loginChallenge = "/api/v1/login/challenge"
    package static let login = "/api/v1/login"
    package static let loginCode = "/api/v1/login/code"
    package static let tokens = "/api/v1/tokens"
    package static let audit = "/api/v1/audit"
    package static let collection = "/api/v1/collection"
    package static let scrub = "/api/v1/scrub"
    package static let retention = "/api/v1/retention"
    package static let quotas = "/api/v1/quotas"
    package static let trust = "/api/v1/trust"
    package static let verdicts = "/api/v1/verdicts"
    package static let archives = "/api/v1/archives"
    package static let artifacts = "/api/v1/artifacts"
    package static let missingBlobs = "/api/v1/missing-blobs"
    package static let blobs = "/api/v1/blobs"
    package static let manifests = "/api/v1/manifests"
    package static let channels = "/api/v1/channels"

    /// Whether a path is one that a client without a token must reach.
    package static func isLogin(_ path: String) -> Bool { path == loginChallenge || path == login }
}
