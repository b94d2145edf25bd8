import Artifacts
import Testing

@testable import Store

/// Manifests that say of another one that they are about it.
@Suite struct ReferrerTests {
    private let store: ArtifactStore
    private let name: ArtifactName

    init() throws {
        store = try TemporaryStore().open()
        name = try Sample.name()
    }

    private func attach(_ type: String?, to subject: Digest, _ note: String, as name: ArtifactName? = nil) async throws
        -> Digest
    {
        let name = name ?? self.name
        try await store.push(Array("{}".utf8), name: name)
        var manifest = try Manifest(json: try Sample.manifest([]))
        manifest.artifactType = type
        manifest.subject = Descriptor(mediaType: MediaType.imageManifest, digest: subject, size: 1)
        manifest.annotations = ["note": note]
        let bytes = try manifest.canonicalJSON()
        return try await store.publish(
            bytes, mediaType: MediaType.imageManifest, name: name, version: .digest(SHA256.digest(of: bytes)))
    }

    @Test func areListedWithTypeAndAnnotations() async throws {
        let subject = try await store.publish([("f", [1])], name: name, version: Sample.tag("1"))
        let first = try await attach("a/signature", to: subject, "one")
        let second = try await attach(nil, to: subject, "two")
        let found = try store.referrers(of: subject, name: name, artifactType: nil, after: nil, limit: 10).list
        #expect(Set(found.map(\.digest)) == [first, second])
        #expect(found.map(\.digest) == found.map(\.digest).sorted { $0.hex < $1.hex })
        // Without a type of its own, that of the configuration counts.
        #expect(found.first { $0.digest == second }?.artifactType == MediaType.imageConfiguration)
        #expect(found.first { $0.digest == first }?.annotations == ["note": "one"])
        let signatures = try store.referrers(
            of: subject, name: name, artifactType: "a/signature", after: nil, limit: 10
        ).list
        #expect(signatures.map(\.digest) == [first])
        let ours = try store.referrers(
            of: subject, name: name, artifactType: MediaType.imageConfiguration, after: nil, limit: 10
        ).list
        #expect(ours.map(\.digest) == [second])
    }

    @Test func aSubjectThatIsNotThereMayHaveSome() async throws {
        let referrer = try await attach("t/t", to: .empty, "early")
        let found = try store.referrers(of: .empty, name: name, artifactType: nil, after: nil, limit: 10).list
        #expect(found.map(\.digest) == [referrer])
    }

    @Test func pagesThroughAll() async throws {
        var all: Set<Digest> = []
        for number in 0..<7 { all.insert(try await attach("t/t", to: .empty, "\(number)")) }
        var seen: [Digest] = []
        while true {
            let page = try store.referrers(of: .empty, name: name, artifactType: nil, after: seen.last, limit: 3).list
            guard !page.isEmpty else { break }
            seen += page.map(\.digest)
        }
        #expect(seen.count == 7)
        #expect(Set(seen) == all)
    }

    @Test func thoseOfAnotherNameAndThoseDeletedAreNotListed() async throws {
        let kept = try await attach("t/t", to: .empty, "kept")
        let gone = try await attach("t/t", to: .empty, "gone")
        _ = try await attach("t/t", to: .empty, "elsewhere", as: Sample.name("other"))
        try store.delete(manifest: gone, name: name)
        let found = try store.referrers(of: .empty, name: name, artifactType: nil, after: nil, limit: 10).list
        #expect(found.map(\.digest) == [kept])
    }
}
