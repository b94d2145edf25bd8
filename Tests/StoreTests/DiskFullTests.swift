import Artifacts
import Foundation
import StoreFaults
import TestSupport
import Testing

@testable import Store

/// A real file system that is full, at a hundred different moments: SQLite's files are on it too.
@Suite(.serialized) struct DiskFullTests {
    private struct Promises {
        var blobs: [Digest: Int] = [:]
        var tags: [String: Digest] = [:]
    }

    /// Pushes what comes until the store has no room, and tells why it ended.
    private static func push(_ store: ArtifactStore, _ promises: inout Promises, seed: Int) async -> StoreError? {
        do throws(StoreError) {
            for number in 0..<200 {
                let name = try Sample.artifact
                let bytes =
                    Sample.bytes(20_000 + 37 * seed, seed: UInt8(truncatingIfNeeded: number))
                    + withUnsafeBytes(of: number) { Array($0) }
                switch number % 3 {
                case 0:
                    let digest = try await store.storeBlob(bytes, name: name)
                    promises.blobs[digest] = bytes.count
                case 1:
                    let blobs = (0..<10).map { part in
                        let bytes = Array(bytes[..<(500 + part)]) + withUnsafeBytes(of: number) { Array($0) }
                        return SmallBlob(digest: SHA256.digest(of: bytes), bytes: bytes)
                    }
                    try await store.storeBatch(blobs, name: name)
                    for blob in blobs { promises.blobs[blob.digest] = blob.bytes.count }
                default:
                    let file = Array(bytes[..<3000]) + withUnsafeBytes(of: number) { Array($0) }
                    for bytes in [file, Array("{}".utf8)] {
                        promises.blobs[try await store.storeBlob(bytes, name: name)] = bytes.count
                    }
                    let manifest = Sample.manifest(of: file)
                    promises.tags["t\(seed)-\(number)"] = try await store.publish(
                        manifest, mediaType: MediaType.imageManifest, name: name,
                        version: Sample.version("t\(seed)-\(number)"))
                }
            }
            return nil
        } catch {
            return error
        }
    }

    private static func check(_ promises: Promises, _ store: ArtifactStore, _ situation: String) throws {
        for (digest, size) in promises.blobs {
            let content = FileManager.default.contents(atPath: store.blobPath(digest))
            #expect(content?.count == size, "\(situation): \(digest) was acknowledged")
            #expect(try store.blobSize(digest, name: Sample.name()) == Int64(size), "\(situation)")
        }
        for (tag, digest) in promises.tags {
            let found = try? store.manifest(Sample.tag(tag), name: Sample.name()).digest
            #expect(found == digest, "\(situation): \(tag) was acknowledged")
        }
    }

    @Test(.enabled(if: Requirement.missing([.root]).isEmpty))
    func whateverWasAcknowledgedIsThereAndPushesGoOnWhenThereIsRoom() async throws {
        let directory = try TemporaryDirectory("\(NSTemporaryDirectory())/full-\(UUID().uuidString)")
        let place = directory.path
        var codes: [StoreError.Code: Int] = [:]
        for seed in 0..<100 {
            try await CommandRunner.local.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", place])
            do {
                let code = try await Self.fill(place, seed)
                codes[code, default: 0] += 1
            } catch {
                _ = try? await CommandRunner.local.run(["umount", "--lazy", place])
                throw error
            }
            // Lazily: a child that another test has just begun may have the descriptors for a moment.
            try await CommandRunner.local.run(["umount", "--lazy", place])
        }
        #expect(codes.keys.allSatisfy { $0 == .noSpace }, "\(codes)")
        print("store faults: 100 full disks, refused \(codes)")
    }

    /// Half of the disks have a reserve: there collection and upkeep go on however full they are.
    private static func fill(_ place: String, _ seed: Int) async throws -> StoreError.Code {
        let reserve: Int64 = seed.isMultiple(of: 2) ? 0 : 600_000
        let filler = "\(place)/filler"
        try Data(count: 4096 * (60 + seed * 3 % 101)).write(to: URL(filePath: filler))
        let situation = "disk \(seed)"
        var promises = Promises()
        func open() throws -> ArtifactStore {
            try ArtifactStore(StoreConfiguration(path: place + "/data", reserve: reserve, clock: { 1000 }))
        }
        func use() async throws -> StoreError.Code {
            let store = try open()
            let error = try #require(await push(store, &promises, seed: seed), "\(situation) was never full")
            try check(promises, store, situation)
            if reserve > 0 {
                try store.keepTime()
                try store.keepNames()
                try store.collect()
                _ = try await store.scrubNext { _ in }
            }
            try FileManager.default.removeItem(atPath: filler)
            let bytes = Sample.bytes(1000, seed: 99)
            if let health = store.health.reason {
                Issue.record("\(situation): \(health)")
            } else {
                promises.blobs[try await store.storeBlob(bytes, name: Sample.name())] = 1000
            }
            try check(promises, store, situation)
            return error.code
        }
        let code = try await use()
        let reopened = try open()
        try Disk(place + "/data").check(reopened)
        #expect(try Disk(place + "/data").arriving(reopened).isEmpty, "\(situation)")
        try check(promises, reopened, situation)
        return code
    }
}

extension Sample {
    /// Names that are valid, for places where only errors of the store may come out.
    fileprivate static var artifact: ArtifactName {
        get throws(StoreError) { try valid { try name() } }
    }

    fileprivate static func version(_ text: String) throws(StoreError) -> Version { try valid { try tag(text) } }

    fileprivate static func manifest(of file: [UInt8]) -> [UInt8] {
        (try? manifest([("file", file)])) ?? []
    }

    private static func valid<Value>(_ body: () throws -> Value) throws(StoreError) -> Value {
        do { return try body() } catch { throw StoreError(.failure, "\(error)") }
    }
}
