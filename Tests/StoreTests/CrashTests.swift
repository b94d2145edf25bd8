import Artifacts
import Foundation
import Glibc
import Store
import StoreFaults
import Synchronization
import Testing

/// The process is killed at every step of a push. Nothing is simulated but the kill: the directory is copied, catalog
/// and write-ahead log included, before and after every system call, and each copy is opened as if after a restart.
@Suite struct CrashTests {
    private struct Image {
        let path: String
        let situation: String
        let promises: PushScenario.Promises
    }

    private final class Photographer: Sendable {
        struct Work: Sendable {
            var source: String
            var target: String
            var scenario: PushScenario
            var images: [Image] = []
        }

        let work: Mutex<Work?> = Mutex(nil)

        func start(_ source: String, _ target: String, _ scenario: PushScenario) {
            work.withLock { $0 = Work(source: source, target: target, scenario: scenario) }
        }

        func stop() -> [Image] {
            work.withLock { work in
                defer { work = nil }
                return work?.images ?? []
            }
        }

        func take(_ operation: String) {
            work.withLock { work in
                guard let current = work else { return }
                let number = current.images.count
                let path = "\(current.target)/\(number)"
                let manager = FileManager.default
                guard (try? manager.copyItem(atPath: current.source, toPath: path)) != nil else { return }
                // Shared memory does not survive a process's death in a way that counts: SQLite makes it anew.
                try? manager.removeItem(atPath: path + "/catalog.sqlite-shm")
                work?.images.append(
                    Image(path: path, situation: "image \(number), \(operation)", promises: current.scenario.promises))
            }
        }
    }

    /// Images of a push into an empty store, or into one that was just made.
    private func images(in place: TemporaryStore, _ photographer: Photographer) async throws -> [Image] {
        let scenario = PushScenario()
        try FileManager.default.createDirectory(atPath: place.path, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: place.root + "/images", withIntermediateDirectories: true)
        photographer.start(place.path, place.root + "/images", scenario)
        try await scenario.run(try place.open())
        photographer.take("end")
        return photographer.stop()
    }

    private func check(_ image: Image, _ place: TemporaryStore) async throws {
        let store = try place.open(at: image.path)
        try Disk(image.path).check(store)
        #expect(try Disk(image.path).arriving(store).isEmpty, "\(image.situation)")
        for blob in Disk(image.path).blobFiles() { #expect(blob.digest.hex == blob.name, "\(image.situation)") }
        try image.promises.check(store, image.situation)
        for (id, offset) in image.promises.offsets {
            let upload = try store.upload(id, name: Sample.name())
            #expect(try await upload.durable() >= offset, "\(image.situation): the offset was acknowledged")
            try await upload.cancel()
            store.forget(upload)
        }
        let scenario = PushScenario()
        try await scenario.run(store)
        try scenario.promises.check(store, image.situation)
        try Disk(image.path).check(store)
    }

    @Test func theProcessIsKilledAtAnyStep() async throws {
        let photographer = Photographer()
        let place = try TemporaryStore(files: FaultyFileOperations(observer: { photographer.take($0) }))
        let images = try await images(in: place, photographer)
        for image in images { try await check(image, place) }
        #expect(images.count > 100)
        #expect(images.contains { !$0.promises.offsets.isEmpty })
        print("store kills: \(images.count) images of a killed process")
    }

    /// Recovery is interrupted at each of its own steps, too, before it may finish. Every second image: what is
    /// between two of them is the catalog's alone.
    @Test func recoveryIsInterruptedAtAnyStep() async throws {
        let photographer = Photographer()
        let place = try TemporaryStore(files: FaultyFileOperations(observer: { photographer.take($0) }))
        let images = try await images(in: place, photographer)
        var runs = 0
        for image in images.enumerated().filter({ $0.offset.isMultiple(of: 2) }).map(\.element) {
            var call = 0
            while true {
                place.files.setFault(.crash(call))
                let store = try? place.open(at: image.path)
                guard store == nil else { break }
                call += 1
                runs += 1
            }
            place.files.setFault(.none)
            try await check(image, place)
        }
        #expect(runs > images.count)
        print("store kills: \(runs) interrupted recoveries")
    }
}
