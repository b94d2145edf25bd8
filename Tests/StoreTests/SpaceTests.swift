import Artifacts
import Glibc
import Store
import StoreFaults
import Testing

/// A full disk: told with numbers, and the session goes on when there is space again.
@Suite struct SpaceTests {
    @Test func anUploadThatTouchesTheReserveIsRefusedWithNumbers() throws {
        let place = try TemporaryStore()
        place.files.setFreeSpace(10_000)
        let store = try place.open(reserve: 4000)
        let error = #expect(throws: StoreError.self) { try store.beginUpload(name: Sample.name(), size: 6001) }
        #expect(error?.code == .noSpace)
        for number in ["6001", "6000", "4000"] { #expect(error?.message.contains(number) == true) }
        #expect(place.entries("staging").isEmpty)
        _ = try store.beginUpload(name: Sample.name(), size: 6000)
    }

    @Test func anUploadOfUnknownSizeIsStoppedAtTheReserve() async throws {
        let place = try TemporaryStore()
        let store = try place.open(reserve: 4000)
        place.files.setFreeSpace(5000)
        let upload = try store.beginUpload(name: Sample.name(), size: nil)
        let turn = try await upload.begin(at: 0)
        try await upload.append([1, 2], turn: turn)
        place.files.setFreeSpace(4002)
        await #expect(throws: StoreError(.noSpace, "")) { try await upload.append([3, 4, 5], turn: turn) }
        place.files.setFreeSpace(nil)
        try await upload.append([3, 4, 5], turn: turn)
        try await upload.finish(SHA256.digest(of: [1, 2, 3, 4, 5]), turn: turn)
    }

    @Test func theDefaultReserveLeavesATenthAtMost() throws {
        let place = try TemporaryStore()
        let store = try place.open(reserve: nil)
        place.files.setFreeSpace(0)
        #expect(throws: StoreError(.noSpace, "")) { try store.beginUpload(name: Sample.name(), size: nil) }
    }

    /// The write itself finds the disk full: some bytes may have been written.
    @Test(arguments: [ENOSPC, EDQUOT])
    func aSessionGoesOnWhenSpaceIsBack(_ error: Int32) async throws {
        let place = try TemporaryStore(files: FaultyFileOperations(longestWrite: 400))
        let store = try place.open()
        let bytes = Sample.bytes(3000)
        let upload = try store.beginUpload(name: Sample.name(), size: 3000)
        let turn = try await upload.begin(at: 0)
        try await upload.append(Array(bytes[..<1000]), turn: turn)
        place.files.setFault(.from(2, error))
        await #expect(throws: StoreError(.noSpace, "")) { try await upload.append(Array(bytes[1000...]), turn: turn) }
        place.files.setFault(.none)
        let told = try await upload.durable()
        let next = try await upload.begin(at: told)
        try await upload.append(Array(bytes[Int(told)...]), turn: next)
        try await upload.finish(SHA256.digest(of: bytes), turn: next)
        #expect(place.content(store.blobPath(SHA256.digest(of: bytes))) == bytes)
    }

    @Test func aFullDiskIsToldApartFromABrokenOne() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let upload = try store.beginUpload(name: Sample.name(), size: nil)
        let turn = try await upload.begin(at: 0)
        place.files.setFault(.from(0, EIO))
        await #expect(throws: StoreError(.failure, "")) { try await upload.append([1], turn: turn) }
        // The first call asks for the free space, the second one writes.
        place.files.setFault(.once(1, ENOSPC))
        await #expect(throws: StoreError(.noSpace, "")) { try await upload.append([1], turn: turn) }
    }

    @Test func whenSpaceIsUnknownUploadsGoOn() throws {
        let place = try TemporaryStore()
        let store = try place.open(reserve: 1 << 60)
        place.files.setFault(.once(0, EIO))
        _ = try store.beginUpload(name: Sample.name(), size: 10)
    }
}
