package import Artifacts

/// What one signature turned out to be: whose, over what, and why it counts for nothing where it does not. A fact about
/// bytes and keys; whether it suffices is for rules to say.
package struct SignatureFinding: Sendable, Hashable {
    /// What a good signature vouches for.
    package enum Coverage: Sendable, Hashable {
        /// The version's manifest, and so every file.
        case everything
        case paths(Set<ArtifactPath>)

        func contains(_ path: ArtifactPath) -> Bool {
            switch self {
            case .everything: true
            case .paths(let paths): paths.contains(path)
            }
        }
    }

    /// The manifest of the evidence that it is part of.
    package let evidence: Digest
    package let format: SignatureFormat
    /// nil when no key that is known made it.
    package var key: TrustKey?
    /// What it is over, for people: `the manifest`, `SHA256SUMS`, a file.
    package let target: String
    /// Seconds since 1970, as the signer says.
    package var signedAt: Int64?
    /// The same, by the store's clock.
    package let receivedAt: Int64
    /// Program or library, with its version.
    package var tool: String
    /// Why it counts for nothing; nil for a good signature.
    package var fault: String?
    package var coverage = Coverage.paths([])
    /// What was odd on the way: a file that a signed list has another hash for.
    package var notes: [String] = []
}
