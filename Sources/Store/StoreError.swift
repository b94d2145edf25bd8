/// Why the store refused or failed. The message is for the operator; `cause` is for the log only.
package struct StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// The blob, manifest, tag or upload does not exist.
        case blobUnknown, manifestUnknown, nameUnknown, uploadUnknown
        /// The bytes are not the ones that were announced.
        case digestMismatch, sizeMismatch
        /// A piece does not start where the upload stands.
        case offsetMismatch
        /// Another request took the upload over.
        case superseded
        /// A manifest names blobs that are not there.
        case manifestBlobUnknown
        case invalidManifest
        /// The tag already names another manifest.
        case tagExists
        /// The channel does not stand where the caller believed, or has nothing before it.
        case channelMoved, noEarlierVersion
        /// The caller lacks the right to it.
        case notPermitted
        /// Rules ask for signatures that are not there.
        case untrusted
        /// A key of that name is there, or there is none.
        case keyExists, keyUnknown
        /// Too much is under way at once.
        case busy
        /// Something else still needs it.
        case inUse
        /// A collection would take more than is likely to be meant.
        case tooMuch
        /// The disk is full, or would be.
        case noSpace
        /// A write failed in a way after which nothing more is accepted until the next start.
        case degraded
        /// The data directory belongs to another process, or to a newer version.
        case locked, unsupportedVersion
        /// Any other failure of the disk or the database.
        case failure
    }

    package let code: Code
    package let message: String
    /// Internal detail: never for an answer.
    package let cause: String?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause.map { "\($0)" }
    }

    /// The same, with what it is about before its message.
    func about(_ subject: String) -> StoreError { StoreError(code, "\(subject): \(message)", detail: cause) }

    private init(_ code: Code, _ message: String, detail: String?) {
        self.code = code
        self.message = message
        cause = detail
    }

    package var description: String { cause.map { "\(message) (\($0))" } ?? message }

    /// Two errors are equal when their codes are.
    package static func == (lhs: StoreError, rhs: StoreError) -> Bool { lhs.code == rhs.code }
}
