import Artifacts
import Glibc
import Store
import StoreFaults
import Testing

/// What a power cut could take: bytes that were not synced, and names whose directory was not. The books are kept by
/// `FaultyFileOperations`, stricter than most file systems are.
@Suite struct DurabilityTests {
    @Test func anAcknowledgedBlobHangsOnNoUnsyncedName() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        for seed in 0..<20 as Range<UInt8> {
            let digest = try await store.push(Sample.bytes(300, seed: seed), name: Sample.name())
            #expect(place.files.undurable(store.blobPath(digest), below: place.root).isEmpty)
        }
    }

    @Test func theDataDirectoryItselfIsDurable() throws {
        let place = try TemporaryStore()
        let store = try place.open(at: place.root + "/a/b")
        for path in [store.directory.path, store.directory.blobsPath, store.directory.stagingPath] {
            #expect(place.files.undurable(path, below: place.root).isEmpty)
        }
        #expect(place.files.undurable(store.directory.path + "/VERSION", below: place.root).isEmpty)
    }

    /// The directories were made by a push that failed before it synced them.
    @Test(arguments: [false, true])
    func directoriesThatAFailedPushMadeAreSyncedByTheNext(_ reopens: Bool) async throws {
        let bytes = Sample.bytes(300)
        var failures = 0
        for call in 0..<25 {
            let place = try TemporaryStore()
            var store: ArtifactStore? = try place.open()
            place.files.setFault(.once(call, EIO))
            do {
                try await store?.push(bytes, name: Sample.name())
            } catch {
                failures += 1
            }
            place.files.setFault(.none)
            if reopens || store?.health.reason != nil {
                store = nil
                store = try place.open()
            }
            try await store?.push(bytes, name: Sample.name())
            let path = try #require(store?.blobPath(SHA256.digest(of: bytes)))
            #expect(place.files.undurable(path, below: place.root).isEmpty, "call \(call)")
        }
        #expect(failures > 8)
    }

    @Test func afterAFailedSyncOfADirectoryNothingMoreIsAccepted() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let calls = place.files.calls.count
        try await store.push([1], name: Sample.name())
        let sync = try #require(place.files.calls.dropFirst(calls).lastIndex { $0.hasPrefix("syncDirectory") }) - calls
        place.files.setFault(.once(sync, EIO))
        await #expect(throws: StoreError(.degraded, "")) { try await store.push([2], name: Sample.name()) }
        #expect(store.health.reason != nil)
        #expect(throws: StoreError(.degraded, "")) { try store.beginUpload(name: Sample.name(), size: 1) }
    }

    @Test func aDurableOffsetHangsOnNoUnsyncedName() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let upload = try store.beginUpload(name: Sample.name(), size: nil)
        let turn = try await upload.begin(at: 0)
        try await upload.append([1, 2, 3], turn: turn)
        try await upload.checkpoint(turn: turn)
        #expect(try await upload.durable() == 3)
        #expect(place.files.undurable(store.directory.stagingFile(upload.id), below: place.root).isEmpty)
    }

    @Test func aBlobIsSyncedBeforeItGetsItsName() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        place.files.setFault(.none)
        try await store.push([1, 2, 3], name: Sample.name())
        let operations = place.files.calls.map { $0.prefix { $0 != " " } }
        let sync = try #require(operations.firstIndex(of: "sync"))
        let rename = try #require(operations.firstIndex(of: "renameNew"))
        #expect(sync < rename)
        #expect(!operations[sync..<rename].contains("write"))
        #expect(operations[rename...].contains("syncDirectory"))
    }
}
