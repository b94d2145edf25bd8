import Artifacts
import Foundation
import Store
import Testing
import Trust

@Suite struct OfflineCatalogTests {
    private let files: [(path: String, bytes: [UInt8])] = [("vmlinuz", Sample.bytes(900))]

    @Test func readsBesideARunningStore() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let digest = try await store.publish(files, name: Sample.name(), version: Sample.tag("1"))
        #expect(
            try OfflineCatalog.releases(in: place.path, policy: TrustPolicy(), now: 0).release(Reference("debian:1"))?
                .digest == digest)
        let second = try await store.publish(files, name: Sample.name("other"), version: Sample.tag("2"))
        #expect(
            try OfflineCatalog.releases(in: place.path, policy: TrustPolicy(), now: 0).release(Reference("other:2"))?
                .digest == second)
    }

    @Test func readsADirectoryThatNobodyHasOpen() async throws {
        let place = try TemporaryStore()
        var store: ArtifactStore? = try place.open()
        try await store?.publish(files, name: Sample.name(), version: Sample.tag("1"))
        store = nil
        #expect(
            try OfflineCatalog.releases(in: place.path, policy: TrustPolicy(), now: 0).release(Reference("debian:1"))
                != nil)
        _ = try place.open()
    }

    @Test func anAbsentCatalogIsAFailureAndIsNotMade() throws {
        let place = try TemporaryStore()
        #expect(throws: StoreError(.failure, "")) {
            try OfflineCatalog.releases(in: place.path, policy: TrustPolicy(), now: 0)
        }
        #expect(!FileManager.default.fileExists(atPath: place.path + "/catalog.sqlite"))
    }
}
