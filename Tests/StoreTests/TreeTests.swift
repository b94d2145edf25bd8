import Artifacts
import Foundation
import GRDB
import Testing

@testable import Store

/// Trees: an index whose manifests list the files.
@Suite struct TreeTests {
    private let configuration = Array("{}".utf8)

    private func file(_ path: String) -> (path: String, bytes: [UInt8]) { (path, Array(path.utf8)) }

    private func submission(_ manifest: [UInt8], _ version: Version? = nil, isIndex: Bool = false) throws
        -> ManifestSubmission
    {
        ManifestSubmission(
            name: try Sample.name(), version: version ?? .digest(SHA256.digest(of: manifest)),
            mediaType: isIndex ? MediaType.imageIndex : MediaType.imageManifest, bytes: manifest)
    }

    private func index(_ pages: [[UInt8]]) throws -> [UInt8] {
        try Manifest(
            tree: pages.map {
                Descriptor(
                    mediaType: MediaType.imageManifest, digest: SHA256.digest(of: $0), size: Int64($0.count))
            }
        ).canonicalJSON()
    }

    /// Pushes the files of pages, and publishes them with their index.
    @discardableResult
    private func publish(_ pages: [[String]], _ tag: String, _ store: ArtifactStore) async throws -> Digest {
        let files = pages.joined().map { Array($0.utf8) } + [configuration]
        try await store.storeBatch(
            files.map { SmallBlob(digest: SHA256.digest(of: $0), bytes: $0) }, name: Sample.name())
        let manifests = try pages.map { try Sample.manifest($0.map { file($0) }) }
        let digests = try await store.publish(
            manifests.map { try submission($0) } + [submission(index(manifests), Sample.tag(tag), isIndex: true)]
        ) { _ in true }
        return digests[digests.count - 1]
    }

    @Test func theFilesOfAllPagesAreServedUnderTheTag() async throws {
        let place = try TemporaryStore()
        let pages = [["a", "b/c"], ["d/e/f", "g"]]
        func check(_ store: ArtifactStore) throws {
            let release = try #require(try store.releases.release(Reference("debian:1")))
            #expect(release.files.map(\.path.description) == Array(pages.joined()))
            let found = try store.releases.file(FileReference("debian:1/d/e/f"))
            #expect(found?.digest == SHA256.digest(of: "d/e/f".utf8))
            #expect(store.releases.blobSize(SHA256.digest(of: "g".utf8)) == 1)
            try Disk(place.path).check(store)
        }
        func publishAndClose() async throws {
            let store = try place.open()
            let digest = try await publish(pages, "1", store)
            #expect(try store.releases.release(Reference("debian:1"))?.digest == digest)
            try check(store)
        }
        try await publishAndClose()
        try check(try place.open())
    }

    @Test func aTreeIsPublishedWholeOrNotAtAll() async throws {
        let store = try TemporaryStore().open()
        try await publish([["a"], ["b"]], "1", store)
        let bad = try Sample.manifest([file("missing")])
        let good = try Sample.manifest([file("a"), file("b")])
        let error = await #expect(throws: StoreError.self) {
            try await store.publish([submission(good), submission(bad)]) { _ in true }
        }
        #expect(error?.code == .manifestBlobUnknown)
        #expect(error?.message.contains("debian sha256:") == true)
        #expect(throws: StoreError(.manifestUnknown, "")) {
            try store.manifest(.digest(SHA256.digest(of: good)), name: Sample.name())
        }
    }

    @Test(arguments: [
        [["b"], ["a"]], [["a"], ["a/b"]], [["a"], ["A"]], [["x/B"], ["x/b"]], [["a", "b"], ["b", "c"]],
    ])
    func pagesThatDoNotGoTogetherAreRefused(_ pages: [[String]]) async throws {
        let store = try TemporaryStore().open()
        await #expect(throws: StoreError(.invalidManifest, "")) { try await publish(pages, "1", store) }
        #expect(try store.taggedArtifacts().isEmpty)
    }

    @Test(arguments: ["../etc/passwd", "/etc/passwd", "a/../../b", "a//b", "./a", "a\\b"])
    func aPageWithAPathThatLeadsOutIsRefused(_ path: String) async throws {
        let store = try TemporaryStore().open()
        let error = await #expect(throws: StoreError.self) { try await publish([["a"], [path]], "1", store) }
        #expect(error?.code == .invalidManifest)
        #expect(error?.message.contains("path '\(path)'") == true)
    }

    @Test func aTreeWhosePageIsNotPublishedIsRefused() async throws {
        let store = try TemporaryStore().open()
        let tree = try index([try Sample.manifest([file("a")])])
        await #expect(throws: StoreError(.manifestBlobUnknown, "")) {
            try await store.publish([submission(tree, Sample.tag("1"), isIndex: true)]) { _ in true }
        }
    }

    @Test func aTreeOfTreesIsRefused() async throws {
        let store = try TemporaryStore().open()
        try await publish([["a"], ["b"]], "1", store)
        let inner = try store.manifest(Sample.tag("1"), name: Sample.name()).bytes
        let outer = try index([inner])
        let error = await #expect(throws: StoreError.self) {
            try await store.publish([submission(outer, Sample.tag("2"), isIndex: true)]) { _ in true }
        }
        #expect(error?.code == .invalidManifest)
    }

    @Test func versionsShareThePagesThatDidNotChange() async throws {
        let store = try TemporaryStore().open()
        try await publish([["a"], ["b"], ["c"]], "1", store)
        let manifests = { try store.catalog.pool.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM manifest") } }
        #expect(try manifests() == 4)
        try await publish([["a"], ["b"], ["d"]], "2", store)
        #expect(try manifests() == 6)
        // With a tree go its pages, but for those that the other has.
        let second = try store.manifest(Sample.tag("2"), name: Sample.name()).digest
        try store.delete(manifest: second, name: Sample.name())
        #expect(try manifests() == 4)
        #expect(try store.releases.file(FileReference("debian:1/b")) != nil)
        #expect(store.releases.blobSize(SHA256.digest(of: "d".utf8)) == nil)
        let first = try store.manifest(Sample.tag("1"), name: Sample.name()).digest
        try store.delete(manifest: first, name: Sample.name())
        #expect(try manifests() == 0)
        #expect(store.releases.blobSize(SHA256.digest(of: "a".utf8)) == nil)
        let report = try store.survey()
        #expect(report.referenced.count == 0)
    }

    @Test func aChannelNamesATree() async throws {
        let store = try TemporaryStore().open()
        try await publish([["a"], ["b"]], "1", store)
        try await store.promote(Sample.tag("1"), to: Tag("prod"), name: Sample.name())
        #expect(try store.releases.file(FileReference("debian:prod/b")) != nil)
    }

    @Test func aTreeWithADamagedPageIsLeftOutAtTheStart() async throws {
        let place = try TemporaryStore()
        var store: ArtifactStore? = try place.open()
        try await publish([["a"], ["b"]], "1", try #require(store))
        try await publish([["x"], ["y"]], "2", try #require(store))
        let page = SHA256.digest(of: try Sample.manifest([file("b")]))
        let path = try #require(store).blobPath(page)
        store = nil
        try FileManager.default.removeItem(atPath: path)
        let reopened = try place.open()
        #expect(try reopened.releases.release(Reference("debian:1")) == nil)
        #expect(try reopened.releases.file(FileReference("debian:2/y")) != nil)
    }
}
