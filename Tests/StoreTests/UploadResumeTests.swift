import Artifacts
import Foundation
import Store
import StoreFaults
import Synchronization
import Testing

/// Uploads that are interrupted: by the connection, by a restart, by a second request for the same session.
@Suite struct UploadResumeTests {
    @Test func resumesAtTheDurableOffsetAfterReopening() async throws {
        let place = try TemporaryStore()
        let bytes = Sample.bytes(3000)
        var store: ArtifactStore? = try place.open()
        var upload: Upload? = try store?.beginUpload(name: Sample.name(), size: 3000)
        let id = try #require(upload?.id)
        let turn = try #require(try await upload?.begin(at: 0))
        try await upload?.append(Array(bytes[..<1000]), turn: turn)
        try await upload?.checkpoint(turn: turn)
        #expect(try await upload?.durable() == 1000)
        // Written and not durable: must be gone after the restart.
        try await upload?.append([UInt8](repeating: 0xee, count: 500), turn: turn)
        #expect(try await upload?.durable() == 1000)
        (upload, store) = (nil, nil)

        let reopened = try place.open()
        let resumed = try reopened.upload(id, name: Sample.name())
        #expect(try await resumed.durable() == 1000)
        #expect(place.content("\(place.path)/staging/\(id)/data") == Array(bytes[..<1000]))
        await #expect(throws: StoreError(.offsetMismatch, "")) { try await resumed.begin(at: 1500) }
        let next = try await resumed.begin(at: 1000)
        try await resumed.append(Array(bytes[1000...]), turn: next)
        try await resumed.finish(SHA256.digest(of: bytes), turn: next)
        #expect(place.content(reopened.blobPath(SHA256.digest(of: bytes))) == bytes)
    }

    @Test(arguments: [0, 1, 999, 1000])
    func resumesAtEveryKindOfOffset(_ offset: Int) async throws {
        let place = try TemporaryStore()
        let bytes = Sample.bytes(1000)
        var store: ArtifactStore? = try place.open()
        var upload: Upload? = try store?.beginUpload(name: Sample.name(), size: nil)
        let id = try #require(upload?.id)
        let turn = try #require(try await upload?.begin(at: 0))
        try await upload?.append(Array(bytes[..<offset]), turn: turn)
        try await upload?.checkpoint(turn: turn)
        (upload, store) = (nil, nil)

        let resumed = try place.open().upload(id, name: Sample.name())
        #expect(try await resumed.durable() == Int64(offset))
        let next = try await resumed.begin(at: Int64(offset))
        try await resumed.append(Array(bytes[offset...]), turn: next)
        try await resumed.finish(SHA256.digest(of: bytes), turn: next)
    }

    /// A dead connection leaves bytes that are not durable. The client is told the durable offset, so it must be able
    /// to go on from there.
    @Test(arguments: [0, 1, 700, 1500])
    func goesOnFromTheOffsetTheClientWasTold(_ undurable: Int) async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let bytes = Sample.bytes(3000)
        let upload = try store.beginUpload(name: Sample.name(), size: 3000)
        let dead = try await upload.begin(at: 0)
        try await upload.append(Array(bytes[..<1000]), turn: dead)
        try await upload.checkpoint(turn: dead)
        try await upload.append(Array(bytes[1000..<1000 + undurable]), turn: dead)

        let told = try await upload.durable()
        let turn = try await upload.begin(at: told)
        for start in stride(from: Int(told), to: bytes.count, by: 400) {
            try await upload.append(Array(bytes[start..<min(start + 400, bytes.count)]), turn: turn)
        }
        try await upload.finish(SHA256.digest(of: bytes), turn: turn)
        #expect(place.content(store.blobPath(SHA256.digest(of: bytes))) == bytes)
    }

    @Test func otherBytesForAPieceThatIsThereAlreadyAreNeverMixed() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let upload = try store.beginUpload(name: Sample.name(), size: nil)
        let dead = try await upload.begin(at: 0)
        try await upload.append([1, 2, 3], turn: dead)
        let turn = try await upload.begin(at: upload.durable())
        try await upload.append([9, 9, 9, 9], turn: turn)
        let digest = SHA256.digest(of: [9, 9, 9, 9])
        do throws(StoreError) {
            try await upload.finish(digest, turn: turn)
            #expect(place.content(store.blobPath(digest)) == [9, 9, 9, 9])
        } catch {
            #expect(error.code == .digestMismatch)
        }
        try Disk(place.path).check(store)
    }

    @Test func anUploadWithoutItsBytesIsUnknownAfterReopening() async throws {
        let place = try TemporaryStore()
        var store: ArtifactStore? = try place.open()
        var upload: Upload? = try store?.beginUpload(name: Sample.name(), size: nil)
        let id = try #require(upload?.id)
        let turn = try #require(try await upload?.begin(at: 0))
        try await upload?.append(Sample.bytes(100), turn: turn)
        try await upload?.checkpoint(turn: turn)
        (upload, store) = (nil, nil)
        try Data([1]).write(to: URL(filePath: "\(place.path)/staging/\(id)/data"))

        let reopened = try place.open()
        #expect(throws: StoreError(.uploadUnknown, "")) { try reopened.upload(id, name: Sample.name()) }
        #expect(place.entries("staging").isEmpty)
    }

    @Test func strayStagingIsRemovedAtStart() throws {
        let place = try TemporaryStore()
        _ = try place.open()
        let stray = "\(place.path)/staging/0123"
        try FileManager.default.createDirectory(atPath: stray, withIntermediateDirectories: false)
        try Data([1]).write(to: URL(filePath: stray + "/data"))
        _ = try place.open()
        #expect(place.entries("staging").isEmpty)
    }

    /// Two requests resume the same upload after a restart. The slower one must not cut off what the faster one has
    /// appended in the meantime.
    @Test func twoRequestsThatResumeAtOnceShareOneSession() async throws {
        let interruption = Interruption()
        let place = try TemporaryStore(files: FaultyFileOperations(observer: { interruption.reached($0) }))
        let bytes = Sample.bytes(2000)
        var first: ArtifactStore? = try place.open()
        var upload: Upload? = try first?.beginUpload(name: Sample.name(), size: 2000)
        let id = try #require(upload?.id)
        let turn = try #require(try await upload?.begin(at: 0))
        try await upload?.append(Array(bytes[..<1000]), turn: turn)
        try await upload?.checkpoint(turn: turn)
        (upload, first) = (nil, nil)

        let store = try place.open()
        let name = try Sample.name()
        let (opening, isOpening) = AsyncStream<Void>.makeStream()
        let (opened, isOpened) = AsyncStream<Upload?>.makeStream()
        let hasAppended = DispatchSemaphore(value: 0)
        interruption.arm("open") {
            isOpening.yield()
            // When opening excludes others the faster request waits for this one: that is as good.
            _ = hasAppended.wait(timeout: .now() + 1)
        }
        Thread.detachNewThread { isOpened.yield(try? store.upload(id, name: name)) }
        for await _ in opening { break }
        // The slower request is about to open the staging file.
        let faster = try store.upload(id, name: name)
        let fasterTurn = try await faster.begin(at: 1000)
        try await faster.append(Array(bytes[1000..<1500]), turn: fasterTurn)
        hasAppended.signal()
        var iterator = opened.makeAsyncIterator()
        let slower = try #require(await iterator.next() ?? nil)
        #expect(faster === slower)
        let next = try await slower.begin(at: 1500)
        try await slower.append(Array(bytes[1500...]), turn: next)
        try await slower.finish(SHA256.digest(of: bytes), turn: next)
        #expect(place.content(store.blobPath(SHA256.digest(of: bytes))) == bytes)
        #expect(place.files.openFiles.isEmpty)
    }
}

/// Runs something once, in the middle of a file operation.
private final class Interruption: Sendable {
    private let armed = Mutex<(operation: String, body: @Sendable () -> Void)?>(nil)

    func arm(_ operation: String, _ body: @escaping @Sendable () -> Void) { armed.withLock { $0 = (operation, body) } }

    func reached(_ operation: String) {
        let body = armed.withLock { armed -> (@Sendable () -> Void)? in
            guard let (wanted, body) = armed, wanted == operation else { return nil }
            armed = nil
            return body
        }
        body?()
    }
}
