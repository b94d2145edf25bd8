import Artifacts
import Store
import Synchronization
import Testing

/// A push of files and one of a folder, as `artifactctl push` does them, that stops at the first error; and what it was promised on the way.
final class PushScenario: Sendable {
    /// Everything the store has acknowledged so far.
    struct Promises: Sendable {
        var blobs: [Digest: Int64] = [:]
        /// Upload sessions with the offset that the client was told.
        var offsets: [String: Int64] = [:]
        var manifest: Digest?
        /// Of the folder.
        var tree: Digest?
    }

    static let files: [(path: String, bytes: [UInt8])] = [
        ("vmlinuz", Sample.bytes(3000, seed: 5)), ("initrd.gz", Sample.bytes(2000, seed: 6)),
    ]
    static let tag = "12.11"
    static let treeTag = "mirror"
    /// The pages of the folder: one of its files is one of the other version too.
    static let pages: [[(path: String, bytes: [UInt8])]] = [
        [("a/b", Sample.bytes(300, seed: 7)), ("a/c", Sample.bytes(2000, seed: 6))], [("d", Sample.bytes(10, seed: 8))],
    ]

    private let promised = Mutex(Promises())
    var promises: Promises { promised.withLock { $0 } }

    /// - Throws: whatever the store said; what was promised before stays promised.
    func run(_ store: ArtifactStore) async throws {
        let name = try Sample.name()
        for (number, file) in Self.files.enumerated() {
            // Skips what is there, as a client does; one size is announced, the other is not.
            let digest = SHA256.digest(of: file.bytes)
            guard try store.claimBlob(digest, name: name, holder: "push") == nil else { continue }
            try await upload(file.bytes, isAnnounced: number == 0, name, store)
        }
        promise(try await store.storeBlob(Array("{}".utf8), name: name), 2)
        let digest = try await store.publish(
            try Sample.manifest(Self.files), mediaType: MediaType.imageManifest, name: name,
            version: Sample.tag(Self.tag))
        promised.withLock { $0.manifest = digest }
        try await runTree(store, name)
    }

    private func runTree(_ store: ArtifactStore, _ name: ArtifactName) async throws {
        let blobs = Self.pages.joined().map { SmallBlob(digest: SHA256.digest(of: $0.bytes), bytes: $0.bytes) }
        let missing = try store.missingBlobs(blobs.map(\.digest), name: name, holder: "push") { _ in false }
        try await store.storeBatch(blobs.filter { missing.contains($0.digest) }, name: name)
        for blob in blobs { promise(blob.digest, blob.bytes.count) }
        let pages = try Self.pages.map { try Sample.manifest($0) }
        let index = try Manifest(
            tree: pages.map {
                Descriptor(mediaType: MediaType.imageManifest, digest: SHA256.digest(of: $0), size: Int64($0.count))
            }
        ).canonicalJSON()
        let submissions =
            try pages.map {
                ManifestSubmission(
                    name: name, version: .digest(SHA256.digest(of: $0)), mediaType: MediaType.imageManifest, bytes: $0)
            } + [
                ManifestSubmission(
                    name: name, version: Sample.tag(Self.treeTag), mediaType: MediaType.imageIndex, bytes: index)
            ]
        let digests = try await store.publish(submissions) { _ in true }
        for (digest, submission) in zip(digests, submissions) { promise(digest, submission.bytes.count) }
        promised.withLock { $0.tree = digests[digests.count - 1] }
    }

    private func upload(_ bytes: [UInt8], isAnnounced: Bool, _ name: ArtifactName, _ store: ArtifactStore) async throws
    {
        let upload = try store.beginUpload(name: name, size: isAnnounced ? Int64(bytes.count) : nil)
        defer { store.forget(upload) }
        let turn = try await upload.begin(at: 0)
        try await upload.append(Array(bytes[..<1000]), turn: turn)
        try await upload.checkpoint(turn: turn)
        let offset = try await upload.durable()
        promised.withLock { $0.offsets[upload.id] = offset }
        try await upload.append(Array(bytes[1000...]), turn: turn)
        // A client that finishes may not resume any more.
        promised.withLock { _ = $0.offsets.removeValue(forKey: upload.id) }
        let digest = SHA256.digest(of: bytes)
        try await upload.finish(digest, turn: turn)
        promise(digest, bytes.count)
    }

    private func promise(_ digest: Digest, _ size: Int) { promised.withLock { $0.blobs[digest] = Int64(size) } }
}

extension PushScenario.Promises {
    /// Everything that was acknowledged is there.
    func check(_ store: ArtifactStore, _ situation: String) throws {
        let name = try Sample.name()
        for (digest, size) in blobs {
            let found = try store.blobSize(digest, name: name)
            #expect(found == size, "\(situation): \(digest) was acknowledged")
        }
        guard let manifest else { return }
        let tagged = try store.manifest(Sample.tag(PushScenario.tag), name: name)
        #expect(tagged.digest == manifest, "\(situation): the tag was acknowledged")
        let release = try store.releases.release(Reference(name: name, version: .tag(Tag(PushScenario.tag))))
        #expect(release?.files.count == PushScenario.files.count, "\(situation): the release was acknowledged")
        guard let tree else { return }
        let published = try store.releases.release(Reference(name: name, version: .tag(Tag(PushScenario.treeTag))))
        #expect(published?.digest == tree, "\(situation): the folder was acknowledged")
        #expect(published?.files.map(\.path.description) == ["a/b", "a/c", "d"], "\(situation)")
    }
}
