import Artifacts
import Store
import Synchronization
import Testing

/// A full push, as `artifactctl push` does it, that stops at the first error; and what it was promised on the way.
final class PushScenario: Sendable {
    /// Everything the store has acknowledged so far.
    struct Promises: Sendable {
        var blobs: [Digest: Int64] = [:]
        /// Upload sessions with the offset that the client was told.
        var offsets: [String: Int64] = [:]
        var manifest: Digest?
    }

    static let files: [(path: String, bytes: [UInt8])] = [
        ("vmlinuz", Sample.bytes(3000, seed: 5)), ("initrd.gz", Sample.bytes(2000, seed: 6)),
    ]
    static let tag = "12.11"

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
    }
}
