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
    /// How many of these give it to machines.
    private var givingCounts: [Digest: Int] = [:]
    private var withholdings: [ArtifactName: [Digest: Withholding]] = [:]
    /// Of releases that machines are given.
    private var blobs: [Digest: Blob] = [:]

    /// How often it was changed: of one index, the same number means the same content.
    package private(set) var generation: UInt64 = 0

    package init() {}

    /// Adds a manifest to a name, under a tag when there is one. A tag that named another one names this one then.
    package mutating func insert(_ release: Release, name: ArtifactName, tag: Tag?) {
        generation += 1
        if members[name, default: []].insert(release.digest).inserted {
            nameCounts[release.digest, default: 0] += 1
            releases[release.digest] = releases[release.digest] ?? release
            countGiving(release.digest, 1)
        }
        if let tag { tags[name, default: [:]][tag] = release.digest }
    }

    /// Says whether machines are given a manifest of a name: nil, or why not.
    package mutating func withhold(_ digest: Digest, name: ArtifactName, _ withholding: Withholding?) {
        guard members[name]?.contains(digest) == true else { return }
        let was = withholdings[name]?[digest]
        // Everything is judged anew every minute: only another verdict is a change.
        guard was != withholding else { return }
        generation += 1
        withholdings[name, default: [:]][digest] = withholding
        if withholdings[name]?.isEmpty == true { withholdings[name] = nil }
        switch (was, withholding) {
        case (nil, .some): countGiving(digest, -1)
        case (.some, nil): countGiving(digest, 1)
        default: break
        }
    }

    /// Blobs are there for machines as long as some name gives them a release that has them.
    private mutating func countGiving(_ digest: Digest, _ change: Int) {
        let before = givingCounts[digest] ?? 0
        let after = before + change
        givingCounts[digest] = after > 0 ? after : nil
        guard (before > 0) != (after > 0), let release = releases[digest] else { return }
        for (_, file) in release.files {
            var blob = blobs[file.digest] ?? Blob(size: file.size, fileCount: 0)
            blob.fileCount += after > 0 ? 1 : -1
            blobs[file.digest] = blob.fileCount > 0 ? blob : nil
        }
    }

    /// Points a tag of a name at one of its manifests.
    package mutating func point(_ tag: Tag, at digest: Digest, name: ArtifactName) {
        generation += 1
        if members[name]?.contains(digest) == true { tags[name, default: [:]][tag] = digest }
    }

    /// Takes a tag from a name; its manifest stays.
    package mutating func remove(_ tag: Tag, name: ArtifactName) {
        generation += 1
        tags[name]?[tag] = nil
    }

    /// Takes a manifest from a name, with every tag that names it.
    package mutating func remove(_ digest: Digest, name: ArtifactName) {
        generation += 1
        guard members[name]?.contains(digest) == true else { return }
        if withholdings[name]?[digest] == nil { countGiving(digest, -1) } else { withholdings[name]?[digest] = nil }
        if withholdings[name]?.isEmpty == true { withholdings[name] = nil }
        members[name]?.remove(digest)
        if members[name]?.isEmpty == true { members[name] = nil }
        tags[name] = tags[name]?.filter { $0.value != digest }
        if tags[name]?.isEmpty == true { tags[name] = nil }
        let left = (nameCounts[digest] ?? 1) - 1
        nameCounts[digest] = left > 0 ? left : nil
        if left <= 0 { releases[digest] = nil }
    }

    /// Every manifest of a name.
    package func digests(of name: ArtifactName) -> Set<Digest> { members[name] ?? [] }

    /// The names that have a manifest.
    package var names: [ArtifactName] { members.keys.sorted { $0.description < $1.description } }

    /// nil when the name has no such version. One that is withheld from machines is there all the same.
    package func release(_ reference: Reference) -> Release? {
        switch reference.version {
        case .tag(let tag): tags[reference.name]?[tag].flatMap { releases[$0] }
        case .digest(let digest): members[reference.name]?.contains(digest) == true ? releases[digest] : nil
        }
    }

    /// Published versions that have a tag.
    package var tagCount: Int { tags.values.reduce(0) { $0 + $1.count } }

    /// Why machines are not given a version; nil when they are, and when there is none.
    package func withholding(of reference: Reference) -> Withholding? {
        guard let withheld = withholdings[reference.name], let release = release(reference) else { return nil }
        return withheld[release.digest]
    }

    /// The size of a blob that some version which machines are given has as a file; nil for any other.
    package func blobSize(_ digest: Digest) -> Int64? { blobs[digest]?.size }

    /// nil when the version, or the file in it, does not exist, and when it is withheld.
    package func file(_ reference: FileReference) -> ReleaseFile? {
        guard withholding(of: reference.artifact) == nil else { return nil }
        return release(reference.artifact)?.files[reference.path]
    }
}
