import Artifacts
import Foundation
import Glibc
import Store
import StoreFaults
import Testing

/// Every system call of opening a store and of a full push fails: once or from then on, with an input error or a full
/// disk, or as if the process had died before it. Afterwards the directory is opened with healthy calls.
@Suite struct FaultTests {
    /// The calls of opening and pushing without a fault.
    private static func callCount() async throws -> Int {
        let place = try TemporaryStore()
        try await PushScenario().run(try place.open())
        return place.files.calls.count
    }

    private func run(_ fault: FaultyFileOperations.Fault) async throws {
        let place = try TemporaryStore(files: FaultyFileOperations(fault))
        let scenario = PushScenario()
        let situation = "\(fault)"
        do {
            let store = try place.open()
            do {
                try await scenario.run(store)
            } catch {
                #expect(error is StoreError, "\(situation): \(error)")
                try await retryWithoutRestart(place, store, scenario, situation)
            }
        } catch let error as StoreError {
            #expect(error.code == .failure || error.code == .noSpace, "\(situation): \(error)")
        }
        #expect(place.files.openFiles.isEmpty, "\(situation): a descriptor is left")

        place.files.setFault(.none)
        let reopened = try place.open()
        try Disk(place.path).check(reopened)
        #expect(try Disk(place.path).arriving(reopened).isEmpty, "\(situation)")
        for blob in Disk(place.path).blobFiles() { #expect(blob.digest.hex == blob.name, "\(situation)") }
        try scenario.promises.check(reopened, situation)
        try await scenario.run(reopened)
        try scenario.promises.check(reopened, situation)
        expectDurable(place, reopened, scenario, situation)
    }

    /// A fault that passes must not need a restart, unless bytes could not be synced.
    private func retryWithoutRestart(
        _ place: TemporaryStore, _ store: ArtifactStore, _ scenario: PushScenario, _ situation: String
    ) async throws {
        guard case .once = place.files.fault else { return }
        guard store.health.reason == nil else {
            await #expect(throws: StoreError(.degraded, "")) { try await scenario.run(store) }
            return
        }
        try await scenario.run(store)
        try Disk(place.path).check(store)
        try scenario.promises.check(store, situation)
        expectDurable(place, store, scenario, situation)
    }

    /// Neither bytes nor names of what was acknowledged hang on a sync that did not happen.
    private func expectDurable(
        _ place: TemporaryStore, _ store: ArtifactStore, _ scenario: PushScenario, _ situation: String
    ) {
        for digest in scenario.promises.blobs.keys {
            let missing = place.files.undurable(store.blobPath(digest), below: place.root)
            #expect(missing.isEmpty, "\(situation): acknowledged and not durable")
        }
    }

    @Test(arguments: [EIO, ENOSPC])
    func anyCallFailsOnce(_ error: Int32) async throws {
        let count = try await Self.callCount()
        for call in 0..<count { try await run(.once(call, error)) }
        print("store faults: \(count) runs, one call fails with \(String(cString: strerror(error)))")
    }

    @Test(arguments: [EIO, ENOSPC])
    func allCallsFailFromOneOn(_ error: Int32) async throws {
        let count = try await Self.callCount()
        for call in 0..<count { try await run(.from(call, error)) }
        print("store faults: \(count) runs, all calls fail from one on with \(String(cString: strerror(error)))")
    }

    @Test func theProcessDiesBeforeAnyCall() async throws {
        let count = try await Self.callCount()
        for call in 0..<count { try await run(.crash(call)) }
        print("store crashes: \(count) runs, nothing works from one call on")
    }

    /// After a failure that passes, `finish` may be repeated; it must never call right bytes wrong.
    @Test(arguments: [EIO, ENOSPC])
    func aFailedFinishIsNeverTakenForWrongBytes(_ error: Int32) async throws {
        let bytes = Sample.bytes(3000)
        let digest = SHA256.digest(of: bytes)
        let name = try Sample.name()
        var failures = 0
        for call in 0..<20 {
            let place = try TemporaryStore()
            let store = try place.open()
            let upload = try store.beginUpload(name: Sample.name(), size: 3000)
            let turn = try await upload.begin(at: 0)
            try await upload.append(bytes, turn: turn)
            place.files.setFault(.once(call, error))
            do {
                try await upload.finish(digest, turn: turn)
                continue
            } catch {
                failures += 1
                #expect(error.code != .digestMismatch && error.code != .sizeMismatch, "call \(call): \(error)")
            }
            do throws(StoreError) {
                try await upload.finish(digest, turn: turn)
                let size = try store.blobSize(digest, name: name)
                #expect(size == 3000)
            } catch {
                #expect([.uploadUnknown, .degraded].contains(error.code), "call \(call), repeated: \(error)")
            }
            try Disk(place.path).check(store)
        }
        #expect(failures >= 5)
    }

    @Test func afterAFailedSyncNothingMoreIsAccepted() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let kept = try await store.push([1, 2], name: Sample.name())
        let upload = try store.beginUpload(name: Sample.name(), size: nil)
        let turn = try await upload.begin(at: 0)
        try await upload.append([1], turn: turn)
        place.files.setFault(.once(0, EIO))
        await #expect(throws: StoreError(.degraded, "")) { try await upload.checkpoint(turn: turn) }
        #expect(store.health.reason?.errorNumber == EIO)
        #expect(throws: StoreError(.degraded, "")) { try store.beginUpload(name: Sample.name(), size: nil) }
        #expect(try store.blobSize(kept, name: Sample.name()) == 2)
        #expect(place.entries("staging").isEmpty)
    }
}
