import Artifacts
import Foundation
import GRDB
import Glibc
import StoreFaults
import Testing

@testable import Store

/// Many small blobs at once.
@Suite struct BatchTests {
    private static func blobs(_ count: Int, seed: UInt8 = 1) -> [SmallBlob] {
        (0..<count).map { number in
            let bytes = Sample.bytes(100 + number, seed: seed &+ UInt8(number))
            return SmallBlob(digest: SHA256.digest(of: bytes), bytes: bytes)
        }
    }

    @Test func allBlobsAreThereAndDurableWithOneSync() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let blobs = Self.blobs(50)
        place.files.setFault(.none)
        #expect(try await store.storeBatch(blobs + [blobs[0]], name: Sample.name()) == 50)
        #expect(place.files.calls.filter { $0.hasPrefix("sync") }.count == 1)
        for blob in blobs {
            #expect(try store.blobSize(blob.digest, name: Sample.name()) == Int64(blob.bytes.count))
            #expect(place.files.undurable(store.blobPath(blob.digest), below: place.root).isEmpty)
        }
        #expect(place.files.openFiles.isEmpty)
        try Disk(place.path).check(store)
        #expect(try Disk(place.path).arriving(store).isEmpty)
        #expect(try await store.storeBatch(blobs, name: Sample.name()) == 0)
    }

    @Test func oneWrongBlobStopsTheBatch() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let blobs = Self.blobs(3) + [SmallBlob(digest: SHA256.digest(of: [9]), bytes: [8])]
        await #expect(throws: StoreError(.digestMismatch, "")) {
            try await store.storeBatch(blobs, name: Sample.name())
        }
        #expect(Disk(place.path).blobFiles().isEmpty)
    }

    @Test func aFullDiskIsToldWithNumbersAndLeavesNothing() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        place.files.setFreeSpace(10_000)
        let error = await #expect(throws: StoreError.self) {
            try await store.storeBatch(Self.blobs(3), name: Sample.name())
        }
        #expect(error?.code == .noSpace)
        #expect(error?.message.contains("10000 are free") == true)
        #expect(Disk(place.path).blobFiles().isEmpty)
    }

    /// Whatever call of a batch fails, nothing of it is left, and the next one succeeds.
    @Test(arguments: [ENOSPC, EIO])
    func aBatchThatFailsLeavesNothing(_ errorNumber: Int32) async throws {
        var failures = 0
        for call in 0..<40 {
            let place = try TemporaryStore()
            let store = try place.open()
            place.files.setFault(.once(call, errorNumber))
            let name = try Sample.name()
            do throws(StoreError) {
                try await store.storeBatch(Self.blobs(3), name: name)
                // How much room there is may not be known, and calls that come no more cannot fail.
                continue
            } catch {
                failures += 1
                #expect([.noSpace, .failure, .degraded].contains(error.code), "call \(call): \(error)")
            }
            place.files.setFault(.none)
            #expect(try Disk(place.path).arriving(store).isEmpty, "call \(call)")
            #expect(Disk(place.path).blobFiles().isEmpty, "call \(call)")
            #expect(place.files.openFiles.isEmpty)
            guard store.health.reason == nil else { continue }
            #expect(try await store.storeBatch(Self.blobs(3), name: Sample.name()) == 3)
            try Disk(place.path).check(store)
        }
        #expect(failures > 10)
    }

    /// The bytes of a blob that is on its way twice are not taken away by the batch that fails.
    @Test func aBlobThatAnotherUploadBringsTooIsLeftToIt() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let blobs = Self.blobs(2)
        let other = try store.beginUpload(name: Sample.name("other"), size: nil)
        let turn = try await other.begin(at: 0)
        try await other.append(blobs[0].bytes, turn: turn)
        place.files.setFault(.once(4, ENOSPC))
        await #expect(throws: StoreError(.noSpace, "")) { try await store.storeBatch(blobs, name: Sample.name()) }
        place.files.setFault(.none)
        try await other.finish(blobs[0].digest, turn: turn)
        #expect(try store.blobSize(blobs[0].digest, name: Sample.name("other")) == Int64(blobs[0].bytes.count))
        try Disk(place.path).check(store)
    }

    /// In whatever state a blob is, a batch leaves it present and whole.
    @Test(arguments: ["arriving", "condemned", "trashed", "corrupt", "present"])
    func aBlobComesBackFromAnyState(_ state: String) async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let blobs = Self.blobs(3)
        try await store.storeBatch(blobs, name: Sample.name())
        try await store.catalog.pool.write { database in
            try database.execute(
                sql: "UPDATE blob SET state = ?, changed_at = 0 WHERE digest = ?",
                arguments: [state, blobs[1].digest.column])
        }
        if state == "trashed" {
            try FileManager.default.moveItem(
                atPath: store.blobPath(blobs[1].digest), toPath: store.directory.trashFile(blobs[1].digest))
        } else if ["corrupt", "present"].contains(state) {
            try FileManager.default.removeItem(atPath: store.blobPath(blobs[1].digest))
        }
        try await store.storeBatch(blobs, name: Sample.name())
        #expect(try store.blobSize(blobs[1].digest, name: Sample.name()) == Int64(blobs[1].bytes.count))
        try Disk(place.path).check(store)
        #expect(try Disk(place.path).arriving(store).isEmpty)
    }

    @Test func askingClaimsWhatIsThereAndMountsWhatMayBeRead() async throws {
        let store = try TemporaryStore().open()
        let blobs = Self.blobs(4)
        try await store.storeBatch(Array(blobs[..<2]), name: Sample.name("mine"))
        try await store.storeBatch([blobs[2]], name: Sample.name("open"))
        try await store.storeBatch([blobs[3]], name: Sample.name("secret"))
        let mine = try Sample.name("mine")
        let missing = try store.missingBlobs(blobs.map(\.digest), name: mine, holder: "test") {
            $0.description == "open"
        }
        #expect(missing == [blobs[3].digest])
        #expect(try store.blobSize(blobs[2].digest, name: mine) != nil)
        #expect(try store.blobSize(blobs[3].digest, name: mine) == nil)
        let leased = try await store.catalog.pool.read {
            try Set(String.fetchAll($0, sql: "SELECT digest FROM lease WHERE holder = 'test'"))
        }
        #expect(leased == Set(blobs[..<3].map(\.digest.column)))
        try FileManager.default.removeItem(atPath: store.blobPath(blobs[0].digest))
        #expect(
            try store.missingBlobs([blobs[0].digest], name: mine, holder: "test") { _ in true } == [blobs[0].digest])
    }
}
