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
