import Artifacts
import Foundation
import GRDB
import Testing

@testable import Store

@Suite struct QuotaTests {
    private func used(_ store: ArtifactStore, _ name: String) throws -> Int64 {
        try store.catalog.pool.read {
            try Int64.fetchOne($0, sql: "SELECT bytes FROM usage WHERE name = ?", arguments: [name]) ?? 0
        }
    }

    /// What the counters should say.
    private func summed(_ store: ArtifactStore, _ name: String) throws -> Int64 {
        try store.catalog.pool.read {
            try Int64.fetchOne(
                $0,
                sql: "SELECT COALESCE(SUM(size), 0) FROM repository_blob JOIN blob USING (digest) WHERE name = ?",
                arguments: [name]) ?? 0
        }
    }

    @Test func whatIsOverTheQuotaIsRefusedWithNumbersAtEveryDoor() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let name = try Sample.name("lab/a")
        try await store.push(Sample.bytes(600), name: name)
        try store.setQuota(Quota(names: "lab/*", limit: 1000))
        let large = Sample.bytes(500, seed: 2)
        func refused(_ body: () async throws -> Void) async {
            let error = await #expect(throws: StoreError.self) { try await body() }
            #expect(error?.code == .noSpace)
            #expect(error?.message.contains("1000 bytes") == true || error?.message.contains("leaves 400") == true)
        }
        await refused { _ = try store.beginUpload(name: name, size: 500) }
        await refused {
            let upload = try store.beginUpload(name: name, size: nil)
            let turn = try await upload.begin(at: 0)
            try await upload.append(large, turn: turn)
        }
        await refused {
            try await store.storeBatch([SmallBlob(digest: SHA256.digest(of: large), bytes: large)], name: name)
        }
        try await store.push(large, name: Sample.name("other"))
        await refused { _ = try store.mount(SHA256.digest(of: large), from: Sample.name("other"), to: name) }
        await refused {
            _ = try store.missingBlobs([SHA256.digest(of: large)], name: name, holder: "t") { _ in true }
        }
        // Two that fit alone and not together: the second is refused when it ends, and leaves nothing.
        let uploads = [
            try store.beginUpload(name: name, size: 300), try store.beginUpload(name: Sample.name("lab/b"), size: 300),
        ]
        for (number, upload) in uploads.enumerated() {
            let bytes = Sample.bytes(300, seed: UInt8(10 + number))
            let turn = try await upload.begin(at: 0)
            try await upload.append(bytes, turn: turn)
            if number == 0 {
                try await upload.finish(SHA256.digest(of: bytes), turn: turn)
            } else {
                await refused { try await upload.finish(SHA256.digest(of: bytes), turn: turn) }
            }
        }
        #expect(try store.quotas() == [QuotaUse(quota: Quota(names: "lab/*", limit: 1000), used: 900)])
        #expect(try Disk(place.path).arriving(store).isEmpty)
        try Disk(place.path).check(store)
        // Others are not concerned, and what is there stays.
        try await store.push(Sample.bytes(5000, seed: 4), name: Sample.name("labs"))
        try store.setQuota(Quota(names: "*", limit: 10))
        #expect(try store.blobSize(SHA256.digest(of: Sample.bytes(600)), name: name) == 600)
        try store.removeQuota("*")
        try store.removeQuota("lab/*")
        #expect(throws: StoreError(.nameUnknown, "")) { try store.removeQuota("lab/*") }
        try await store.push(large, name: name)
    }

    /// Two names have the same blob: when one no longer needs it, a collection gives back what it counted.
    @Test func whatAnotherNameNeedsDoesNotCountForEver() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let (first, second) = (try Sample.name("team/a"), try Sample.name("team/b"))
        let files = [("a", Sample.bytes(1000))]
        try await store.publish(files, name: first, version: Sample.tag("1"))
        let digest = try await store.publish(files, name: second, version: Sample.tag("1"))
        try store.delete(manifest: digest, name: second)
        var rules = CollectionRules()
        rules.grace = -1
        try store.collect(rules)
        #expect(try used(store, "team/b") >= 1000, "a push may be under way")
        try await store.catalog.pool.write { try $0.execute(sql: "DELETE FROM lease") }
        let before = try used(store, "team/a")
        try store.collect(rules)
        #expect(try used(store, "team/b") == 0)
        #expect(try used(store, "team/a") == before)
        #expect(try store.blobSize(SHA256.digest(of: files[0].1), name: first) == 1000)
        try Disk(place.path).check(store)
    }

    /// What rotted may come again, and what is there may get another tag, however full the quota is.
    @Test func whatIsHeldAlreadyIsNotRefused() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let name = try Sample.name()
        let files = [("a", Sample.bytes(1000))]
        try await store.publish(files, name: name, version: Sample.tag("1"))
        try store.setQuota(Quota(names: "*", limit: 10))
        let blob = SHA256.digest(of: files[0].1)
        try FileManager.default.removeItem(atPath: store.blobPath(blob))
        _ = try await store.storeBlob(files[0].1, name: name)
        #expect(try store.blobSize(blob, name: name) == 1000)
        _ = try await store.publish(
            Sample.manifest(files), mediaType: MediaType.imageManifest, name: name, version: Sample.tag("2"))
        // A quota that is raised lets an upload go on that it had stopped.
        let bytes = Sample.bytes(500, seed: 9)
        try store.setQuota(Quota(names: "*", limit: 1_000_000))
        let upload = try store.beginUpload(name: name, size: nil)
        try store.setQuota(Quota(names: "*", limit: 10))
        let turn = try await upload.begin(at: 0)
        try await upload.append(bytes, turn: turn)
        await #expect(throws: StoreError(.noSpace, "")) {
            try await upload.finish(SHA256.digest(of: bytes), turn: turn)
        }
        try store.setQuota(Quota(names: "*", limit: 1_000_000))
        try await upload.finish(SHA256.digest(of: bytes), turn: turn)
        #expect(try store.blobSize(SHA256.digest(of: bytes), name: name) == 500)
    }

    @Test func theCountersAreRightAfterEveryChange() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        func check() throws {
            for name in ["debian", "other"] { #expect(try used(store, name) == summed(store, name)) }
        }
        let digest = try await store.publish(
            [("a", Sample.bytes(100)), ("b", Sample.bytes(200, seed: 2))], name: Sample.name(), version: Sample.tag("1")
        )
        try check()
        #expect(try store.mount(SHA256.digest(of: Sample.bytes(100)), from: Sample.name(), to: Sample.name("other")))
        try check()
        try store.delete(manifest: digest, name: Sample.name())
        try check()
        try store.delete(blob: SHA256.digest(of: Sample.bytes(200, seed: 2)), name: Sample.name())
        try check()
        var rules = CollectionRules()
        rules.grace = -1
        rules.readTime = -1
        rules.trashTime = -1
        for _ in 0..<3 {
            try await store.catalog.pool.write { try $0.execute(sql: "DELETE FROM lease") }
            try store.collect(rules)
            try check()
        }
        #expect(try used(store, "debian") == 0)
        #expect(try used(store, "other") == 0)
    }
}
