package import Artifacts

/// `GET /api/v1/archives/{version}`: one archive of a version, and whether it is shown as a folder.
package struct ArchiveReport: Codable, Hashable, Sendable {
    package var path: String
    package var digest: Digest
    /// Why it is not shown; missing when it is.
    package var refusal: String?

    package init(path: String, digest: Digest, refusal: String?) {
        self.path = path
        self.digest = digest
        self.refusal = refusal
    }
}
