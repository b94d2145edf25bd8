/// What was wrong with a name, digest, path or manifest. The message names the value, the rule and the fix.
package struct ArtifactError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of fault, for callers that map them to a protocol's error codes.
    package enum Code: Sendable {
        case invalidDigest, invalidName, invalidTag, invalidReference, invalidPath, invalidManifest, invalidAuditLog,
            invalidBatch
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    /// Two errors are equal when their codes are: messages are for people and may change.
    package static func == (lhs: ArtifactError, rhs: ArtifactError) -> Bool { lhs.code == rhs.code }
}
