import Artifacts
import GRDB
import Glibc
import StoreFaults
import Testing

@testable import Store

/// Large uploads are made durable while they come.
@Suite struct BackgroundSyncTests {
    private static let piece = [UInt8](repeating: 7, count: 8 << 20)

    private func append(_ count: Int, to upload: Upload, _ turn: Upload.Turn) async throws {
        for _ in 0..<count { try await upload.append(Self.piece, turn: turn) }
    }

    @Test func whatCameLongAgoIsDurableWithoutAWordFromTheClient() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let upload = try store.beginUpload(name: Sample.name(), size: nil)
        let turn = try await upload.begin(at: 0)
        // More than may be under way at once.
        try await append(40, to: upload, turn)
        let durable = try await upload.durable()
        #expect(durable >= 320 << 20 - 4 * Upload.checkpointInterval)
        #expect(durable > 0 && durable <= 320 << 20)
        let stored = try await store.catalog.pool.read {
            try Int64.fetchOne($0, sql: "SELECT durable_offset FROM upload") ?? 0
        }
        #expect(stored == durable, "a start after a crash goes on where clients were told")
        try await upload.checkpoint(turn: turn)
        #expect(try await upload.durable() == 320 << 20)
        try await upload.cancel()
        #expect(place.files.openFiles.isEmpty)
    }

    /// The sync in the background fails: nothing of the file is trusted, and nothing more is accepted.
    @Test func aFailedSyncEndsTheUploadAndTheStore() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let upload = try store.beginUpload(name: Sample.name(), size: 200 << 20)
        let turn = try await upload.begin(at: 0)
        try await append(7, to: upload, turn)
        // The eighth piece is written, and then the first sync comes.
        place.files.setFault(.once(1, EIO))
        await #expect(throws: StoreError(.degraded, "")) {
            try await append(3, to: upload, turn)
            try await upload.checkpoint(turn: turn)
        }
        #expect(place.files.calls.contains { $0.hasPrefix("sync ") })
        #expect(store.health.reason?.errorNumber == EIO)
        #expect(await upload.hasEnded)
        #expect(place.files.openFiles.isEmpty)
        #expect(place.entries("staging").isEmpty)
    }
}
