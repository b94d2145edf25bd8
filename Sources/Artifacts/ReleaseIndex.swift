/// Every published version by name: the immutable snapshot that boots are decided on. Publishing makes a new one.
package struct ReleaseIndex: Sendable {
    /// A blob that is a file of some releases.
    private struct Blob {
        var size: Int64
        /// How many files of releases it is.
        var fileCount: Int
    }

    private var releases: [Digest: Release] = [:]
    private var tags: [ArtifactName: [Tag: Digest]] = [:]
    private var members: [ArtifactName: Set<Digest>] = [:]
    /// How many names have a release.
    private var nameCounts: [Digest: Int] = [:]
    private var blobs: [Digest: Blob] = [:]

    package init() {}

    /// Adds a manifest to a name, under a tag when there is one. A tag that named another one names this one then.
    package mutating func insert(_ release: Release, name: ArtifactName, tag: Tag?) {
        if members[name, default: []].insert(release.digest).inserted { nameCounts[release.digest, default: 0] += 1 }
        if releases.updateValue(release, forKey: release.digest) == nil {
            for (_, file) in release.files {
                blobs[file.digest, default: Blob(size: file.size, fileCount: 0)].fileCount += 1
            }
        }
        if let tag { tags[name, default: [:]][tag] = release.digest }
    }

    /// Points a tag of a name at one of its manifests.
    package mutating func point(_ tag: Tag, at digest: Digest, name: ArtifactName) {
        if members[name]?.contains(digest) == true { tags[name, default: [:]][tag] = digest }
    }

    /// Takes a tag from a name; its manifest stays.
    package mutating func remove(_ tag: Tag, name: ArtifactName) { tags[name]?[tag] = nil }

    /// Takes a manifest from a name, with every tag that names it.
    package mutating func remove(_ digest: Digest, name: ArtifactName) {
        guard members[name]?.remove(digest) != nil else { return }
        if members[name]?.isEmpty == true { members[name] = nil }
        tags[name] = tags[name]?.filter { $0.value != digest }
        if tags[name]?.isEmpty == true { tags[name] = nil }
        let left = (nameCounts[digest] ?? 1) - 1
        nameCounts[digest] = left > 0 ? left : nil
        guard left <= 0, let release = releases.removeValue(forKey: digest) else { return }
        for (_, file) in release.files {
            guard var blob = blobs[file.digest] else { continue }
            blob.fileCount -= 1
            blobs[file.digest] = blob.fileCount > 0 ? blob : nil
        }
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
    package func blobSize(_ digest: Digest) -> Int64? { blobs[digest]?.size }

    /// nil when the version, or the file in it, does not exist.
    package func file(_ reference: FileReference) -> ReleaseFile? {
        release(reference.artifact)?.files[reference.path]
    }
}
