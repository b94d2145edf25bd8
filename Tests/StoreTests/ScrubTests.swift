import Artifacts
import Foundation
import Testing

@testable import Store

/// Bytes that rot are found, no longer served, and mended by a push.
@Suite struct ScrubTests {
    private let place: TemporaryStore
    private let store: ArtifactStore
    private let name: ArtifactName

    init() throws {
        place = try TemporaryStore()
        store = try place.open(now: 50)
        name = try Sample.name()
    }

    /// One pass: what was found not to be whole.
    private func pass(_ store: ArtifactStore? = nil) async throws -> [Digest] {
        var found: [Digest] = []
        while let finding = try await (store ?? self.store).scrubNext(pace: { _ in }) {
            if !finding.isWhole { found.append(finding.digest) }
        }
        return found
    }

    private func flip(_ digest: Digest, at offset: Int) throws {
        let path = store.blobPath(digest)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.seek(toOffset: UInt64(offset))
        let byte = try #require(try file.read(upToCount: 1)?.first)
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: Data([byte ^ 1]))
        try file.close()
    }

    @Test func aWholeStoreHasNoFindings() async throws {
        try await store.publish([("f", Sample.bytes(3 << 20))], name: name, version: Sample.tag("1"))
        #expect(try await pass().isEmpty)
        let state = try store.scrubState()
        #expect(state.passEndedAt == 50)
        #expect(state.corrupt.isEmpty)
        #expect(state.remainingCount == 3)
    }

    @Test(arguments: [0, 500_000, 999_999]) func aFlippedBitIsFoundAndAPushMendsIt(offset: Int) async throws {
        let bytes = Sample.bytes(1_000_000)
        try await store.publish([("f", bytes), ("g", [1])], name: name, version: Sample.tag("1"))
        let digest = SHA256.digest(of: bytes)
        try flip(digest, at: offset)
        #expect(try await pass() == [digest])
        #expect(try store.blobSize(digest, name: name) == nil)
        #expect(place.content(store.blobPath(digest)) == nil)
        #expect(place.entries("quarantine") == [digest.hex])
        let lost = try store.scrubState().corrupt
        #expect(lost == [CorruptBlob(digest: digest, size: 1_000_000, references: [try Reference("debian:1")])])
        // Nothing may be published that needs it.
        await #expect(throws: StoreError(.manifestBlobUnknown, "")) {
            try await store.publish(
                try Sample.manifest([("f", bytes)]), mediaType: MediaType.imageManifest, name: name,
                version: Sample.tag("2"))
        }
        try await store.push(bytes, name: name)
        #expect(try store.blobSize(digest, name: name) == 1_000_000)
        #expect(try store.scrubState().corrupt.isEmpty)
        #expect(try await pass().isEmpty)
        try Disk(place.path).check(store)
    }

    @Test func aFileThatIsGoneOrShorterIsFound() async throws {
        let gone = try await store.push([1, 2, 3], name: name)
        let shorter = try await store.push([4, 5, 6], name: name)
        try FileManager.default.removeItem(atPath: store.blobPath(gone))
        let path = store.blobPath(shorter)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        try #require(FileHandle(forUpdatingAtPath: path)).truncate(atOffset: 2)
        #expect(Set(try await pass()) == [gone, shorter])
    }

    /// Bytes that rotted are pushed again while they are still being read.
    @Test func aBlobThatIsMendedMeanwhileIsNotTaken() async throws {
        let bytes = Sample.bytes(3 << 20)
        let digest = try await store.push(bytes, name: name)
        try flip(digest, at: 0)
        let store = self.store
        let name = self.name
        let finding = try await store.scrubNext { _ in
            if try store.blobSize(digest, name: name) != nil { try await store.push(bytes, name: name) }
        }
        #expect(finding?.isWhole == true)
        #expect(try store.blobSize(digest, name: name) == Int64(bytes.count))
        #expect(try await pass().isEmpty)
    }

    @Test func goesOnAfterARestartWhereItWas() async throws {
        for number in 0..<5 { try await store.push([UInt8(number)], name: name) }
        var seen: [Digest] = []
        for _ in 0..<2 { seen.append(try #require(try await store.scrubNext(pace: { _ in })).digest) }
        #expect(try store.scrubState().remainingCount == 3)
        let copy = place.root + "/copy"
        try FileManager.default.copyItem(atPath: place.path, toPath: copy)
        let reopened = try place.open(at: copy)
        while let finding = try await reopened.scrubNext(pace: { _ in }) { seen.append(finding.digest) }
        #expect(seen.count == 5)
        #expect(Set(seen).count == 5)
    }

    @Test func whatWasFoundIsInTheAuditLog() async throws {
        let digest = try await store.push([1], name: name)
        try flip(digest, at: 0)
        _ = try await pass()
        #expect(try store.auditEntries(after: 0, limit: 10).map(\.subject) == [digest.description])
    }
}
