package import Artifacts

/// One published tag. `GET /api/v1/artifacts` gives a list of them in order of name and tag.
package struct ArtifactSummary: Codable, Hashable, Sendable {
    package var name: String
    package var tag: String
    package var digest: Digest
    /// Seconds since 1970.
    package var publishedAt: Int64
    /// Number of files.
    package var fileCount: Int
    /// Bytes of all files.
    package var size: Int64
    /// A channel moves; any other tag is a version and does not.
    package var isChannel: Bool

    package init(
        name: String, tag: String, digest: Digest, publishedAt: Int64, fileCount: Int, size: Int64, isChannel: Bool
    ) {
        self.name = name
        self.tag = tag
        self.digest = digest
        self.publishedAt = publishedAt
        self.fileCount = fileCount
        self.size = size
        self.isChannel = isChannel
    }
}
