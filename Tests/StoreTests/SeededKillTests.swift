import Artifacts
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Store

/// Real processes that work on a store and are killed (SIGKILL) at a step that a seed decides, ten after another on each
/// directory; the store is held to what each was told.
@Suite struct SeededKillTests {
    private static let directories = 100
    private static let runs = 10

    private struct Tally: Sendable {
        var killed = 0
        var blobs = 0
        var tags = 0
    }

    @Test func aThousandKilledProcessesLoseNothing() async throws {
        let program = try BuiltProducts.path("store-crash")
        var tally = Tally()
        try await withThrowingTaskGroup(of: Tally.self) { group in
            var next = 0
            func start() {
                guard next < Self.directories else { return }
                let number = next
                next += 1
                group.addTask { try await Self.kill(program, directory: number) }
            }
            start()
            start()
            while let part = try await group.next() {
                tally.killed += part.killed
                tally.blobs += part.blobs
                tally.tags += part.tags
                start()
            }
        }
        // Some seeds do all that they have to do before they die, on a fast machine more of those that die by the clock.
        #expect(tally.killed > Self.directories * Self.runs / 2)
        print(
            "store kills: \(Self.directories * Self.runs) seeded runs, \(tally.killed) killed, \(tally.blobs) blobs and \(tally.tags) tags acknowledged, none lost"
        )
    }

    private static func kill(_ program: String, directory number: Int) async throws -> Tally {
        let place = try TemporaryStore()
        var tally = Tally()
        var tags: [String: String] = [:]
        for run in 0..<runs {
            let seed = number * runs + run
            let result = try await CommandRunner.local.result(of: [program, place.path, String(seed)])
            if result.signal == SIGKILL {
                tally.killed += 1
            } else {
                #expect(result.succeeded, "seed \(seed): \(result)")
            }
            #expect(result.standardError.isEmpty, "seed \(seed): \(result.standardError)")
            var blobs: [Digest: Int64] = [:]
            for line in result.lines {
                let words = line.split(separator: " ").map(String.init)
                switch words.first {
                case "blob":
                    blobs[try Digest(words[1])] = Int64(words[2])
                    tally.blobs += 1
                case "tag":
                    tags[words[1]] = words[2]
                    tally.tags += 1
                // What is under way may have happened or not.
                case "moving": tags["prod"] = nil
                case "deleting": tags[words[1]] = nil
                case "a": blobs = [:]
                default: break
                }
            }
            try check(place, seed, tags, blobs)
        }
        return tally
    }

    private static func check(
        _ place: TemporaryStore, _ seed: Int, _ tags: [String: String], _ blobs: [Digest: Int64]
    ) throws {
        let store = try place.open()
        try Disk(place.path).check(store)
        #expect(try Disk(place.path).arriving(store).isEmpty, "seed \(seed)")
        for blob in Disk(place.path).blobFiles() { #expect(blob.digest.hex == blob.name, "seed \(seed)") }
        let name = try Sample.name()
        for (digest, size) in blobs {
            #expect(try store.blobSize(digest, name: name) == size, "seed \(seed): \(digest) was acknowledged")
        }
        for (tag, digest) in tags {
            let found = try? store.manifest(Sample.tag(tag), name: name).digest.description
            #expect(found == digest, "seed \(seed): \(tag) was acknowledged")
        }
    }
}
