import Artifacts
import Foundation
import Testing

@testable import Store

/// Publishing: all of a manifest's blobs are there, a tag names one manifest for ever.
@Suite struct ManifestTests {
    private let files: [(path: String, bytes: [UInt8])] = [
        ("vmlinuz", Sample.bytes(900, seed: 2)), ("boot/initrd.gz", Sample.bytes(1200, seed: 3)),
    ]

    @Test func aPublishedManifestIsFoundByTagAndDigest() async throws {
        let store = try TemporaryStore().open(now: 77)
        let digest = try await store.publish(files, name: Sample.name(), version: Sample.tag("12.11"))
        let bytes = try Sample.manifest(files)
        for version in [try Sample.tag("12.11"), .digest(digest)] {
            let manifest = try store.manifest(version, name: Sample.name())
            #expect(manifest == StoredManifest(digest: digest, mediaType: MediaType.imageManifest, bytes: bytes))
        }
        let file = try store.releases.file(FileReference("debian:12.11/boot/initrd.gz"))
        #expect(file == ReleaseFile(digest: SHA256.digest(of: files[1].bytes), size: 1200))
        let tagged = TaggedArtifact(
            name: try Sample.name(), tag: try Tag("12.11"), digest: digest, publishedAt: 77,
            isChannel: false)
        #expect(try store.taggedArtifacts() == [tagged])
    }

    @Test func everythingPublishedIsThereAfterReopening() async throws {
        let place = try TemporaryStore()
        var store: ArtifactStore? = try place.open()
        let digest = try await store?.publish(files, name: Sample.name(), version: Sample.tag("12.11"))
        store = nil
        let reopened = try place.open()
        #expect(try reopened.releases.release(Reference("debian:12.11"))?.digest == digest)
        try Disk(place.path).check(reopened)
    }

    @Test func aManifestThatNamesAMissingBlobIsRefusedWithItsDigest() async throws {
        let store = try TemporaryStore().open()
        try await store.push(files[0].bytes, name: Sample.name())
        try await store.push(Array("{}".utf8), name: Sample.name())
        let error = await #expect(throws: StoreError.self) {
            try await store.publish(
                try Sample.manifest(files), mediaType: MediaType.imageManifest, name: Sample.name(),
                version: Sample.tag("1"))
        }
        #expect(error?.code == .manifestBlobUnknown)
        #expect(error?.message.contains(SHA256.digest(of: files[1].bytes).description) == true)
        #expect(error?.message.contains(SHA256.digest(of: files[0].bytes).description) == false)
        #expect(try store.taggedArtifacts().isEmpty)
        #expect(throws: StoreError(.manifestUnknown, "")) { try store.manifest(Sample.tag("1"), name: Sample.name()) }
    }

    @Test func aManifestWhoseBlobWasLostOnDiskIsRefused() async throws {
        let store = try TemporaryStore().open()
        for bytes in files.map(\.bytes) + [Array("{}".utf8)] { try await store.push(bytes, name: Sample.name()) }
        try FileManager.default.removeItem(atPath: store.blobPath(SHA256.digest(of: files[0].bytes)))
        await #expect(throws: StoreError(.manifestBlobUnknown, "")) {
            try await store.publish(
                try Sample.manifest(files), mediaType: MediaType.imageManifest, name: Sample.name(),
                version: Sample.tag("1"))
        }
    }

    @Test func aBlobOfAnotherNameDoesNotCount() async throws {
        let store = try TemporaryStore().open()
        try await store.publish(files, name: Sample.name("debian"), version: Sample.tag("1"))
        await #expect(throws: StoreError(.manifestBlobUnknown, "")) {
            try await store.publish(
                try Sample.manifest(files), mediaType: MediaType.imageManifest, name: Sample.name("ubuntu"),
                version: Sample.tag("1"))
        }
    }

    @Test func aWrongSizeIsRefused() async throws {
        let store = try TemporaryStore().open()
        for bytes in files.map(\.bytes) + [Array("{}".utf8)] { try await store.push(bytes, name: Sample.name()) }
        var manifest = try Manifest(json: try Sample.manifest(files))
        manifest.layers?[0].size += 1
        let bytes = try manifest.canonicalJSON()
        await #expect(throws: StoreError(.invalidManifest, "")) {
            try await store.publish(
                bytes, mediaType: MediaType.imageManifest, name: Sample.name(), version: Sample.tag("1"))
        }
    }

    @Test(arguments: ["", "{", "[]", "{\"schemaVersion\":1}", "{\"schemaVersion\":2,\"layers\":[{}]}"])
    func whatIsNoManifestIsRefused(_ text: String) async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        await #expect(throws: StoreError(.invalidManifest, "")) {
            try await store.publish(
                Array(text.utf8), mediaType: MediaType.imageManifest, name: Sample.name(), version: Sample.tag("1"))
        }
        #expect(Disk(place.path).blobFiles().isEmpty)
    }

    @Test func anotherMediaTypeThanTheManifestsOwnIsRefused() async throws {
        let store = try TemporaryStore().open()
        try await store.push(Array("{}".utf8), name: Sample.name())
        await #expect(throws: StoreError(.invalidManifest, "")) {
            try await store.publish(
                try Sample.manifest([]), mediaType: MediaType.imageIndex, name: Sample.name(), version: Sample.tag("1"))
        }
    }

    @Test func aTagIsImmutable() async throws {
        let store = try TemporaryStore().open()
        let first = try await store.publish(files, name: Sample.name(), version: Sample.tag("1"))
        #expect(try await store.publish(files, name: Sample.name(), version: Sample.tag("1")) == first)
        await #expect(throws: StoreError(.tagExists, "")) {
            try await store.publish([files[0]], name: Sample.name(), version: Sample.tag("1"))
        }
        #expect(try store.manifest(Sample.tag("1"), name: Sample.name()).digest == first)
        #expect(try store.releases.release(Reference("debian:1"))?.digest == first)
    }

    @Test func oneOfManyPublishersGetsTheTag() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let name = try Sample.name()
        let winners = await withTaskGroup(of: Digest?.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let files = [(path: "a", bytes: Sample.bytes(100, seed: UInt8(number)))]
                    return try? await store.publish(files, name: name, version: Sample.tag("1"))
                }
            }
            return await group.reduce(into: [Digest]()) { if let digest = $1 { $0.append(digest) } }
        }
        #expect(winners.count == 1)
        #expect(try store.manifest(Sample.tag("1"), name: name).digest == winners.first)
        try Disk(place.path).check(store)
    }

    @Test func publishesByDigestWithoutATag() async throws {
        let store = try TemporaryStore().open()
        let digest = SHA256.digest(of: try Sample.manifest(files))
        #expect(try await store.publish(files, name: Sample.name(), version: .digest(digest)) == digest)
        #expect(try store.releases.release(Reference("debian@\(digest)")) != nil)
        #expect(try store.taggedArtifacts().isEmpty)
    }

    @Test func publishingUnderAnotherDigestIsRefused() async throws {
        let store = try TemporaryStore().open()
        await #expect(throws: StoreError(.digestMismatch, "")) {
            try await store.publish(files, name: Sample.name(), version: .digest(.empty))
        }
    }

    @Test func aManifestThatIsDamagedOnDiskIsNotServed() async throws {
        let place = try TemporaryStore()
        var store: ArtifactStore? = try place.open()
        let digest = try #require(try await store?.publish(files, name: Sample.name(), version: Sample.tag("1")))
        let path = try #require(store?.blobPath(digest))
        store = nil
        try FileManager.default.removeItem(atPath: path)
        try Data("{}".utf8).write(to: URL(filePath: path))
        let reopened = try place.open()
        #expect(throws: StoreError(.failure, "")) { try reopened.manifest(Sample.tag("1"), name: Sample.name()) }
        #expect(try reopened.releases.release(Reference("debian:1")) == nil)
        try await reopened.publish(files, name: Sample.name(), version: Sample.tag("1"))
        #expect(try reopened.manifest(Sample.tag("1"), name: Sample.name()).digest == digest)
    }

    @Test func theIndexIsAValue() async throws {
        let store = try TemporaryStore().open()
        try await store.publish(files, name: Sample.name(), version: Sample.tag("1"))
        let before = store.releases
        try await store.publish(files, name: Sample.name(), version: Sample.tag("2"))
        #expect(try before.release(Reference("debian:2")) == nil)
        #expect(try store.releases.release(Reference("debian:2")) != nil)
    }

    @Test func anIndexNeedsItsManifests() async throws {
        let store = try TemporaryStore().open()
        let inner = try await store.publish(files, name: Sample.name(), version: Sample.tag("1"))
        func index(_ digest: Digest) -> [UInt8] {
            Array(
                """
                {"schemaVersion":2,"mediaType":"\(MediaType.imageIndex)","manifests":[{"mediaType":\
                "\(MediaType.imageManifest)","digest":"\(digest)","size":1}]}
                """.utf8)
        }
        let version = try Sample.tag("index")
        _ = try await store.publish(
            index(inner), mediaType: MediaType.imageIndex, name: Sample.name(), version: version)
        await #expect(throws: StoreError(.manifestBlobUnknown, "")) {
            try await store.publish(
                index(.empty), mediaType: MediaType.imageIndex, name: Sample.name(), version: Sample.tag("other"))
        }
    }
}
