import Artifacts
import Glibc
import Store
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

    /// The directory was made by a push that failed or died before it was synced.
    @Test(arguments: [false, true])
    func aDirectoryThatSomebodyElseMadeIsSyncedToo(_ reopens: Bool) async throws {
        let place = try TemporaryStore()
        var store: ArtifactStore? = try place.open()
        let bytes = Sample.bytes(300)
        let path = try #require(store?.blobPath(SHA256.digest(of: bytes)))
        var failures = 0
        for call in 0..<30 {
            place.files.setFault(.once(call, EIO))
            do {
                try await store?.push(bytes, name: Sample.name())
                break
            } catch {
                failures += 1
            }
            place.files.setFault(.none)
            if reopens || store?.health.reason != nil {
                store = nil
                store = try place.open()
            }
        }
        place.files.setFault(.none)
        try await store?.push(bytes, name: Sample.name())
        #expect(failures > 3)
        #expect(place.files.undurable(path, below: place.root).isEmpty)
    }

    @Test func aDurableOffsetHangsOnNoUnsyncedName() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let upload = try store.beginUpload(name: Sample.name(), size: nil)
        let turn = try await upload.begin(at: 0)
        try await upload.append([1, 2, 3], turn: turn)
        try await upload.checkpoint(turn: turn)
        #expect(await upload.durable() == 3)
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
