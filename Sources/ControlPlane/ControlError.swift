internal import Artifacts
internal import ControlAPI
internal import HTTPTypes
internal import Hosts
internal import Hummingbird
internal import Store
internal import Trust

/// A refusal with its HTTP form. The one place where the errors of other targets become statuses and codes.
struct ControlError: Error, Sendable {
    let status: HTTPResponse.Status
    let document: ErrorDocument
    /// For the log only.
    let cause: String?
    /// Seconds after which it may go better.
    let retryAfter: Int64?
    /// A token, code or proof was shown that is not right: it counts against who showed it.
    let isGuess: Bool

    init(
        _ status: HTTPResponse.Status, _ code: String, _ message: String, cause: String? = nil,
        retryAfter: Int64? = nil,
        isGuess: Bool = false
    ) {
        self.status = status
        self.retryAfter = retryAfter
        self.isGuess = isGuess
        document = ErrorDocument(code: code, message: message)
        self.cause = cause
    }

    init(_ error: any Error) {
        switch error {
        case let error as ControlError: self = error
        case let error as ArtifactError: self.init(error)
        case let error as StoreError: self.init(error)
        case let error as HostsError: self.init(error)
        case let error as TrustError: self.init(.badRequest, "KEY_INVALID", error.message)
        case let error as HTTPError where error.status.kind == .clientError:
            self.init(error.status, "UNSUPPORTED", error.body ?? error.status.reasonPhrase)
        default: self.init(.internalServerError, "UNKNOWN", "the server failed: see its log", cause: "\(error)")
        }
    }

    private init(_ error: ArtifactError) {
        let code =
            switch error.code {
            case .invalidDigest: "DIGEST_INVALID"
            case .invalidManifest, .invalidPath: "MANIFEST_INVALID"
            case .invalidName, .invalidTag, .invalidReference: "NAME_INVALID"
            case .invalidBatch: "BLOB_UPLOAD_INVALID"
            case .invalidAuditLog: "UNKNOWN"
            }
        self.init(.badRequest, code, error.message)
    }

    private init(_ error: StoreError) {
        let (status, code): (HTTPResponse.Status, String) =
            switch error.code {
            case .blobUnknown: (.notFound, "BLOB_UNKNOWN")
            case .manifestUnknown: (.notFound, "MANIFEST_UNKNOWN")
            case .nameUnknown: (.notFound, "NAME_UNKNOWN")
            case .uploadUnknown: (.notFound, "BLOB_UPLOAD_UNKNOWN")
            case .digestMismatch: (.badRequest, "DIGEST_INVALID")
            case .sizeMismatch: (.badRequest, "SIZE_INVALID")
            case .offsetMismatch: (.rangeNotSatisfiable, "BLOB_UPLOAD_INVALID")
            case .superseded: (.conflict, "BLOB_UPLOAD_INVALID")
            case .manifestBlobUnknown: (.notFound, "MANIFEST_BLOB_UNKNOWN")
            case .invalidManifest: (.badRequest, "MANIFEST_INVALID")
            case .tagExists, .channelMoved, .noEarlierVersion, .tooMuch: (.conflict, "DENIED")
            case .notPermitted, .untrusted: (.forbidden, "DENIED")
            case .keyExists: (.conflict, "DENIED")
            case .keyUnknown: (.notFound, "KEY_UNKNOWN")
            case .busy: (.tooManyRequests, "TOOMANYREQUESTS")
            // 405 is the specification's status for what may not be deleted.
            case .inUse: (.methodNotAllowed, "UNSUPPORTED")
            case .noSpace: (.init(code: 507, reasonPhrase: "Insufficient Storage"), "DENIED")
            case .degraded: (.serviceUnavailable, "UNAVAILABLE")
            case .locked, .unsupportedVersion, .failure: (.internalServerError, "UNKNOWN")
            }
        self.init(status, code, error.message, cause: error.cause)
    }

    private init(_ error: HostsError) {
        switch error.code {
        case .unknownHost: self.init(.notFound, "HOST_UNKNOWN", error.message)
        case .invalidToken: self.init(.forbidden, "DENIED", error.message)
        case .failure: self.init(.internalServerError, "UNKNOWN", error.message, cause: error.cause)
        }
    }
}
