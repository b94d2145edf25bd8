import Artifacts
import Foundation
import Store
import StoreFaults
import Testing

/// One upload session: what becomes of right bytes, wrong bytes, and pieces out of place.
@Suite struct UploadTests {
    @Test(arguments: [0, 1, 4095, 100_000])
    func aFinishedUploadIsABlob(_ size: Int) async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let bytes = Sample.bytes(size)
        let digest = try await store.push(bytes, name: Sample.name(), pieces: 3)
        let path =
            "\(place.path)/blobs/sha256/\(digest.hex.prefix(2))/\(digest.hex.dropFirst(2).prefix(2))/\(digest.hex)"
        #expect(store.blobPath(digest) == path)
        #expect(place.content(path) == bytes)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o444)
        #expect(try store.blobSize(digest, name: Sample.name()) == Int64(size))
        #expect(place.entries("staging").isEmpty)
        #expect(place.files.openFiles.isEmpty)
    }

    @Test func aBlobBelongsToTheNameItWasPushedTo() async throws {
        let store = try TemporaryStore().open()
        let digest = try await store.push([1, 2, 3], name: Sample.name("debian"))
        #expect(try store.blobSize(digest, name: Sample.name("ubuntu")) == nil)
        #expect(try store.mount(digest, from: Sample.name("fedora"), to: Sample.name("ubuntu")) == false)
        #expect(try store.mount(digest, from: Sample.name("debian"), to: Sample.name("ubuntu")))
        #expect(try store.blobSize(digest, name: Sample.name("ubuntu")) == 3)
    }

    @Test func theSizeNeedNotBeKnown() async throws {
        let store = try TemporaryStore().open()
        let upload = try store.beginUpload(name: Sample.name(), size: nil)
        let turn = try await upload.begin(at: nil)
        try await upload.append([1, 2], turn: turn)
        try await upload.append([3], turn: turn)
        try await upload.finish(SHA256.digest(of: [1, 2, 3]), turn: turn)
        #expect(try store.blobSize(SHA256.digest(of: [1, 2, 3]), name: Sample.name()) == 3)
    }

    @Test func wrongBytesLeaveNothing() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let upload = try store.beginUpload(name: Sample.name(), size: 3)
        let turn = try await upload.begin(at: 0)
        try await upload.append([1, 2, 4], turn: turn)
        let expected = SHA256.digest(of: [1, 2, 3])
        await #expect(throws: StoreError(.digestMismatch, "")) { try await upload.finish(expected, turn: turn) }
        store.forget(upload)
        #expect(throws: StoreError(.uploadUnknown, "")) { try store.upload(upload.id, name: Sample.name()) }
        #expect(place.entries("staging").isEmpty)
        #expect(place.entries("blobs/sha256").isEmpty)
        #expect(place.files.openFiles.isEmpty)
        try Disk(place.path).check(store)
    }

    @Test func moreThanAnnouncedIsRefusedAndTheSessionStays() async throws {
        let store = try TemporaryStore().open()
        let upload = try store.beginUpload(name: Sample.name(), size: 3)
        let turn = try await upload.begin(at: 0)
        try await upload.append([1, 2], turn: turn)
        await #expect(throws: StoreError(.sizeMismatch, "")) { try await upload.append([3, 4], turn: turn) }
        try await upload.append([3], turn: turn)
        try await upload.finish(SHA256.digest(of: [1, 2, 3]), turn: turn)
    }

    @Test func lessThanAnnouncedIsRefusedAndTheSessionStays() async throws {
        let store = try TemporaryStore().open()
        let upload = try store.beginUpload(name: Sample.name(), size: 3)
        let turn = try await upload.begin(at: 0)
        try await upload.append([1, 2], turn: turn)
        let digest = SHA256.digest(of: [1, 2, 3])
        await #expect(throws: StoreError(.sizeMismatch, "")) { try await upload.finish(digest, turn: turn) }
        try await upload.append([3], turn: turn)
        try await upload.finish(digest, turn: turn)
    }

    @Test(arguments: [1, 3, 1_000_000] as [Int64])
    func aPieceOutOfPlaceIsRefusedAndTheSessionStays(_ offset: Int64) async throws {
        let store = try TemporaryStore().open()
        let upload = try store.beginUpload(name: Sample.name(), size: nil)
        let first = try await upload.begin(at: 0)
        try await upload.append([1, 2], turn: first)
        try await upload.checkpoint(turn: first)
        await #expect(throws: StoreError(.offsetMismatch, "")) { try await upload.begin(at: offset) }
        try await upload.append([3], turn: first)
        try await upload.finish(SHA256.digest(of: [1, 2, 3]), turn: first)
    }

    @Test func aNewRequestTakesOverAndTheOldOneEnds() async throws {
        let store = try TemporaryStore().open()
        let upload = try store.beginUpload(name: Sample.name(), size: nil)
        let old = try await upload.begin(at: 0)
        try await upload.append([1], turn: old)
        let new = try await upload.begin(at: 1)
        let digest = SHA256.digest(of: [1, 2])
        await #expect(throws: StoreError(.superseded, "")) { try await upload.append([9], turn: old) }
        await #expect(throws: StoreError(.superseded, "")) { try await upload.checkpoint(turn: old) }
        await #expect(throws: StoreError(.superseded, "")) { try await upload.finish(digest, turn: old) }
        try await upload.append([2], turn: new)
        try await upload.finish(digest, turn: new)
    }

    @Test func aCancelledUploadLeavesNothing() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let upload = try store.beginUpload(name: Sample.name(), size: 10)
        let turn = try await upload.begin(at: 0)
        try await upload.append([1], turn: turn)
        try await upload.cancel()
        store.forget(upload)
        #expect(place.entries("staging").isEmpty)
        await #expect(throws: StoreError(.uploadUnknown, "")) { try await upload.append([2], turn: turn) }
        #expect(throws: StoreError(.uploadUnknown, "")) { try store.upload(upload.id, name: Sample.name()) }
        try Disk(place.path).check(store)
    }

    @Test func anEndedUploadTakesNothingMore() async throws {
        let store = try TemporaryStore().open()
        let upload = try store.beginUpload(name: Sample.name(), size: 1)
        let turn = try await upload.begin(at: 0)
        try await upload.append([1], turn: turn)
        try await upload.finish(SHA256.digest(of: [1]), turn: turn)
        await #expect(throws: StoreError(.uploadUnknown, "")) { try await upload.begin(at: 1) }
        await #expect(throws: StoreError(.uploadUnknown, "")) { try await upload.cancel() }
    }

    @Test func anUploadIsFoundOnlyUnderItsName() throws {
        let store = try TemporaryStore().open()
        let upload = try store.beginUpload(name: Sample.name("debian"), size: 1)
        #expect(try store.upload(upload.id, name: Sample.name("debian")) === upload)
        #expect(throws: StoreError(.uploadUnknown, "")) { try store.upload(upload.id, name: Sample.name("ubuntu")) }
        #expect(throws: StoreError(.uploadUnknown, "")) { try store.upload("../../etc", name: Sample.name()) }
    }

    @Test(arguments: [1, 7, 1000])
    func shortWritesAreContinued(_ longest: Int) async throws {
        let place = try TemporaryStore(files: FaultyFileOperations(longestWrite: longest))
        let store = try place.open()
        let bytes = Sample.bytes(2000)
        let digest = try await store.push(bytes, name: Sample.name())
        #expect(place.content(store.blobPath(digest)) == bytes)
    }

    @Test func storesBytesInMemory() async throws {
        let store = try TemporaryStore().open()
        for bytes in [[], [1], Sample.bytes(5000)] {
            let digest = try await store.storeBlob(bytes, name: Sample.name())
            #expect(try store.blobSize(digest, name: Sample.name()) == Int64(bytes.count))
        }
    }
}
