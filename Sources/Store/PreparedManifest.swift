internal import Artifacts

/// A manifest that has been read, and is to be published.
struct PreparedManifest {
    let submission: ManifestSubmission
    let digest: Digest
    let value: Manifest
    /// The files that it lists itself; those of a tree are in others.
    let release: Release

    /// - Throws: `digestMismatch` when it is not the one that was asked for; `invalidManifest`.
    init(_ submission: ManifestSubmission) throws(StoreError) {
        self.submission = submission
        digest = SHA256.digest(of: submission.bytes)
        if case .digest(let expected) = submission.version, expected != digest {
            throw StoreError(.digestMismatch, "the manifest's digest is \(digest), not \(expected)")
        }
        do {
            value = try Manifest(json: submission.bytes)
            release = try Release(digest: digest, manifest: value)
            try ArtifactPath.requireDistinctInAnyCase(release.files.lazy.map(\.path))
        } catch {
            throw StoreError(.invalidManifest, "\(error)")
        }
        if let inner = value.mediaType, inner != submission.mediaType {
            throw StoreError(
                .invalidManifest, "the manifest says it is '\(inner)' and was sent as '\(submission.mediaType)'")
        }
    }
}
