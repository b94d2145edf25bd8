import Artifacts
import Foundation
import GRDB
import StoreFaults
import Testing

@testable import Store

/// Blobs once they are in: the catalog must never promise what the disk does not hold.
@Suite struct BlobTests {
    @Test func pushingABlobAgainChangesNothing() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let bytes = Sample.bytes(500)
        let digest = try await store.push(bytes, name: Sample.name("debian"))
        try await store.push(bytes, name: Sample.name("ubuntu"))
        #expect(try store.blobSize(digest, name: Sample.name("ubuntu")) == 500)
        #expect(Disk(place.path).blobFiles().count == 1)
        try Disk(place.path).check(store)
    }

    @Test func twoUploadsOfTheSameBlobAtOnce() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let bytes = Sample.bytes(50_000)
        let name = try Sample.name()
        try await withThrowingTaskGroup { group in
            for _ in 0..<8 { group.addTask { try await store.push(bytes, name: name, pieces: 5) } }
            try await group.waitForAll()
        }
        #expect(try store.blobSize(SHA256.digest(of: bytes), name: name) == 50_000)
        #expect(place.entries("staging").isEmpty)
        #expect(place.files.openFiles.isEmpty)
        try Disk(place.path).check(store)
    }

    @Test func manyBlobsAtOnce() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let name = try Sample.name()
        try await withThrowingTaskGroup { group in
            for number in 0..<40 {
                group.addTask { try await store.push(Sample.bytes(1000 + number, seed: UInt8(number)), name: name) }
            }
            try await group.waitForAll()
        }
        #expect(Disk(place.path).blobFiles().count == 40)
        try Disk(place.path).check(store)
    }

    @Test func aBlobWhoseFileIsGoneIsAbsentAndAcceptedAgain() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let name = try Sample.name()
        let bytes = Sample.bytes(700)
        let digest = try await store.push(bytes, name: name)
        try FileManager.default.removeItem(atPath: store.blobPath(digest))
        #expect(try store.blobSize(digest, name: name) == nil)
        #expect(try store.claimBlob(digest, name: name, holder: "push") == nil)
        #expect(try store.mount(digest, from: name, to: Sample.name("other")) == false)
        try await store.push(bytes, name: name)
        #expect(try store.blobSize(digest, name: name) == 700)
        #expect(place.content(store.blobPath(digest)) == bytes)
    }

    @Test func aBlobWhoseFileIsTooShortIsAbsentAndReplaced() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let bytes = Sample.bytes(700)
        let digest = try await store.push(bytes, name: Sample.name())
        try FileManager.default.removeItem(atPath: store.blobPath(digest))
        try Data(bytes.prefix(300)).write(to: URL(filePath: store.blobPath(digest)))
        #expect(try store.blobSize(digest, name: Sample.name()) == nil)
        try await store.push(bytes, name: Sample.name())
        #expect(place.content(store.blobPath(digest)) == bytes)
        try Disk(place.path).check(store)
    }

    @Test func aFileThatNobodyVouchesForIsReplaced() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let bytes = Sample.bytes(700)
        let digest = SHA256.digest(of: bytes)
        let directory = store.directory.blobDirectory(digest)
        try FileManager.default.createDirectory(atPath: directory.inner, withIntermediateDirectories: true)
        try Data(repeating: 0xbd, count: 700).write(to: URL(filePath: store.blobPath(digest)))
        try await store.push(bytes, name: Sample.name())
        #expect(place.content(store.blobPath(digest)) == bytes)
    }

    @Test func everyBlobAndEveryClaimIsLeased() async throws {
        let store = try TemporaryStore().open(now: 5000)
        let digest = try await store.push([1], name: Sample.name())
        #expect(try store.claimBlob(digest, name: Sample.name(), holder: "push 7") == 1)
        #expect(try store.mount(digest, from: Sample.name(), to: Sample.name("other")))
        let leases = try store.catalog.pool.read {
            try Row.fetchAll($0, sql: "SELECT holder, expires_at FROM lease WHERE digest = ?", arguments: [digest.hex])
        }
        #expect(leases.count == 3)
        #expect(leases.allSatisfy { $0["expires_at"] == 5000 + BlobCommitter.leaseSeconds })
        #expect(leases.contains { $0["holder"] == "push 7" })
    }

    @Test func anUnknownBlobIsNotClaimed() throws {
        let store = try TemporaryStore().open()
        #expect(try store.claimBlob(.empty, name: Sample.name(), holder: "push") == nil)
    }

    @Test func everyCommitOfTheCatalogIsDurable() throws {
        let store = try TemporaryStore().open()
        let (synchronous, journal) = try store.catalog.pool.writeWithoutTransaction { database in
            (
                try Int.fetchOne(database, sql: "PRAGMA synchronous"),
                try String.fetchOne(database, sql: "PRAGMA journal_mode")
            )
        }
        #expect(synchronous == 2 && journal == "wal")
    }
}
