import Artifacts
import Foundation
import Store
import StoreFaults
import Synchronization
import Testing

/// What nobody continues is given up, and what rotted is mended by a push.
@Suite struct ExpiryTests {
    @Test func uploadsThatNobodyContinuesAreGivenUp() async throws {
        let place = try TemporaryStore()
        let clock = Clock()
        let store = try ArtifactStore(
            StoreConfiguration(path: place.path, reserve: 0, clock: { clock.now }, files: place.files))
        for _ in 0..<3 {
            let upload = try store.beginUpload(name: Sample.name(), size: 1000)
            let turn = try await upload.begin(at: 0)
            try await upload.append([1, 2, 3], turn: turn)
            try await upload.checkpoint(turn: turn)
        }
        #expect(try await store.expire() == 0)
        #expect(place.entries("staging").count == 3)
        clock.advance(ArtifactStore.uploadLifetime + 1)
        let fresh = try store.beginUpload(name: Sample.name(), size: nil)
        #expect(try await store.expire() == 3)
        #expect(place.entries("staging") == [fresh.id])
        #expect(try await store.expire() == 0)
        try await store.push([1, 2, 3], name: Sample.name())
    }

    private final class Clock: Sendable {
        private let seconds = Mutex<Int64>(1000)
        var now: Int64 { seconds.withLock { $0 } }
        func advance(_ count: Int64) { seconds.withLock { $0 += count } }
    }

    @Test func pushingAgainMendsARottenBlob() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let bytes = Sample.bytes(10_000)
        let digest = try await store.push(bytes, name: Sample.name())
        var rotten = bytes
        rotten[5000] ^= 1
        let path = store.blobPath(digest)
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.write(contentsOf: Data(rotten))
        try file.close()
        try await store.push(bytes, name: Sample.name())
        #expect(place.content(path) == bytes)
    }

    @Test func anUploadThatHasEndedIsUnknown() async throws {
        let store = try TemporaryStore().open()
        let upload = try store.beginUpload(name: Sample.name(), size: nil)
        try await upload.cancel()
        #expect(await upload.hasEnded)
        await #expect(throws: StoreError(.uploadUnknown, "")) { try await upload.durable() }
    }
}
