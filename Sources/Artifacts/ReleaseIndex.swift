/// Every published version by name: the immutable snapshot that boots are decided on. Publishing makes a new one.
package struct ReleaseIndex: Sendable {
    private var releases: [Digest: Release] = [:]
    private var tags: [ArtifactName: [Tag: Digest]] = [:]
    private var members: [ArtifactName: Set<Digest>] = [:]
    private var blobSizes: [Digest: Int64] = [:]

    package init() {}

    /// Adds a manifest to a name, under a tag when there is one.
    package mutating func insert(_ release: Release, name: ArtifactName, tag: Tag?) {
        releases[release.digest] = release
        members[name, default: []].insert(release.digest)
        for file in release.files.values { blobSizes[file.digest] = file.size }
        if let tag { tags[name, default: [:]][tag] = release.digest }
    }

    /// nil when the name has no such version.
    package func release(_ reference: Reference) -> Release? {
        switch reference.version {
        case .tag(let tag): tags[reference.name]?[tag].flatMap { releases[$0] }
        case .digest(let digest): members[reference.name]?.contains(digest) == true ? releases[digest] : nil
        }
    }

    /// Published versions that have a tag.
    package var tagCount: Int { tags.values.reduce(0) { $0 + $1.count } }

    /// The size of a blob that some published version has as a file; nil for any other.
    package func blobSize(_ digest: Digest) -> Int64? { blobSizes[digest] }

    /// nil when the version, or the file in it, does not exist.
    package func file(_ reference: FileReference) -> ReleaseFile? {
        release(reference.artifact)?.files[reference.path]
    }
}
