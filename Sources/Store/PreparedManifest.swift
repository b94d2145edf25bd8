internal import Artifacts
internal import Trust

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
        if isEvidence {
            guard value.subject != nil else {
                throw StoreError(.invalidManifest, "the evidence names no subject: say which manifest it is about")
            }
            do {
                _ = try Evidence(manifest: value, digest: digest, receivedAt: 0)
            } catch {
                throw StoreError(.invalidManifest, error.message)
            }
        }
        if let inner = value.mediaType, inner != submission.mediaType {
            throw StoreError(
                .invalidManifest, "the manifest says it is '\(inner)' and was sent as '\(submission.mediaType)'")
        }
    }

    /// Whether it holds signatures of another manifest.
    var isEvidence: Bool { value.artifactType == Evidence.artifactType }

    /// Those of other manifests that hold signatures of this one.
    func evidence(among manifests: [PreparedManifest]) -> [PreparedManifest] {
        manifests.filter { other in
            other.isEvidence && other.submission.name == submission.name && other.value.subject?.digest == digest
        }
    }
}
