import Artifacts
import Testing

@testable import Store

/// What a name no longer has.
@Suite struct DeletionTests {
    private let place: TemporaryStore
    private let store: ArtifactStore
    private let name: ArtifactName

    init() throws {
        place = try TemporaryStore()
        store = try place.open()
        name = try Sample.name()
    }

    @Test func aTagGoesAndItsManifestStays() async throws {
        let digest = try await store.publish([("f", [1])], name: name, version: Sample.tag("1"))
        try store.delete(Tag("1"), name: name)
        #expect(throws: StoreError(.manifestUnknown, "")) { try store.manifest(Sample.tag("1"), name: name) }
        #expect(try store.releases.release(Reference("debian:1")) == nil)
        #expect(try store.manifest(.digest(digest), name: name).digest == digest)
        #expect(try store.releases.release(Reference("debian@\(digest)")) != nil)
        #expect(throws: StoreError(.manifestUnknown, "")) { try store.delete(Tag("1"), name: name) }
    }

    @Test func aManifestGoesWithItsTagsAndCanBePushedAgain() async throws {
        let digest = try await store.publish([("f", [1])], name: name, version: Sample.tag("1"))
        try await store.publish([("f", [1])], name: name, version: Sample.tag("2"))
        try await store.publish([("f", [2])], name: name, version: Sample.tag("other"))
        try store.delete(manifest: digest, name: name)
        #expect(try store.taggedArtifacts().map(\.tag.description) == ["other"])
        #expect(try store.releases.release(Reference("debian@\(digest)")) == nil)
        #expect(throws: StoreError(.manifestUnknown, "")) { try store.manifest(.digest(digest), name: name) }
        #expect(throws: StoreError(.manifestUnknown, "")) { try store.delete(manifest: digest, name: name) }
        // The tag is free again, for other files too.
        let next = try await store.publish([("f", [3])], name: name, version: Sample.tag("1"))
        #expect(try store.releases.release(Reference("debian:1"))?.digest == next)
        #expect(try await store.publish([("f", [1])], name: name, version: Sample.tag("2")) == digest)
    }

    @Test func anotherNamesManifestStays() async throws {
        let other = try Sample.name("other")
        let digest = try await store.publish([("f", [1])], name: name, version: Sample.tag("1"))
        try await store.publish([("f", [1])], name: other, version: Sample.tag("1"))
        try store.delete(manifest: digest, name: name)
        #expect(try store.releases.release(Reference("other:1"))?.digest == digest)
        #expect(store.releases.blobSize(SHA256.digest(of: [1])) == 1)
        try store.delete(manifest: digest, name: other)
        #expect(store.releases.blobSize(SHA256.digest(of: [1])) == nil)
    }

    @Test func aBlobThatAManifestNeedsStays() async throws {
        let digest = try await store.publish([("f", [1])], name: name, version: Sample.tag("1"))
        let blob = SHA256.digest(of: [1])
        for needed in [blob, digest] {
            #expect(throws: StoreError(.inUse, "")) { try store.delete(blob: needed, name: name) }
        }
        try store.delete(manifest: digest, name: name)
        try store.delete(blob: blob, name: name)
        #expect(try store.blobSize(blob, name: name) == nil)
        #expect(throws: StoreError(.blobUnknown, "")) { try store.delete(blob: blob, name: name) }
    }

    @Test func aManifestThatAnIndexListsStays() async throws {
        let digest = try await store.publish([("f", [1])], name: name, version: Sample.tag("1"))
        let index = Array(
            """
            {"schemaVersion":2,"mediaType":"\(MediaType.imageIndex)","manifests":[{"mediaType":\
            "\(MediaType.imageManifest)","digest":"\(digest)","size":1}]}
            """.utf8)
        let outer = try await store.publish(
            index, mediaType: MediaType.imageIndex, name: name, version: Sample.tag("index"))
        #expect(throws: StoreError(.inUse, "")) { try store.delete(manifest: digest, name: name) }
        try store.delete(manifest: outer, name: name)
        try store.delete(manifest: digest, name: name)
    }

    @Test func everyDeletionIsInTheAuditLog() async throws {
        let digest = try await store.publish([("f", [1])], name: name, version: Sample.tag("1"), by: "ann")
        try store.delete(Tag("1"), name: name, by: "bob")
        try store.delete(manifest: digest, name: name, by: "bob")
        try store.delete(blob: SHA256.digest(of: [1]), name: name, by: "bob")
        let entries = try store.auditEntries(after: 0, limit: 10)
        #expect(entries.map(\.action) == ["publish", "delete tag", "delete manifest", "delete blob"])
        #expect(entries.map(\.actor) == ["ann", "bob", "bob", "bob"])
        // What was refused is no change.
        #expect(throws: StoreError.self) { try store.delete(manifest: digest, name: name) }
        #expect(try store.auditEntries(after: 4, limit: 10).isEmpty)
    }
}
