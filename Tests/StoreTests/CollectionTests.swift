import Artifacts
import Foundation
import GRDB
import StoreFaults
import Synchronization
import Testing

@testable import Store

/// What a collection takes, what it must never take, and how it is stopped.
@Suite struct CollectionTests {
    private let place: TemporaryStore
    private let clock = ManualClock()
    private let store: ArtifactStore
    private let name: ArtifactName

    init() throws {
        place = try TemporaryStore()
        store = try place.open(clock: clock)
        name = try Sample.name()
    }

    /// Everything at once, but for what the test is about.
    private static func rules(
        grace: Int64 = 0, readTime: Int64 = 0, trashTime: Int64 = 0, hasBrake: Bool = false
    ) -> CollectionRules {
        var rules = CollectionRules()
        rules.grace = grace
        rules.readTime = readTime
        rules.trashTime = trashTime
        rules.hasBrake = hasBrake
        rules.batch = 3
        return rules
    }

    private static let lease = BlobCommitter.leaseSeconds + 1

    @Test func whatNobodyNeedsGoesStepByStepAndItsBytesWithIt() async throws {
        let rules = Self.rules(grace: 100, readTime: 10, trashTime: 20)
        let digest = try await store.push([1, 2, 3], name: name)
        let path = store.blobPath(digest)
        clock.advance(Self.lease + 100)
        #expect(try store.survey(rules).unneeded.count == 1)
        #expect(try store.collect(rules).unneeded == .init(count: 1, bytes: 3))
        // Whoever pushes is told that it is missing; whoever reads still can.
        #expect(try store.blobSize(digest, name: name) == nil)
        #expect(try store.blobSize(digest, name: name, forReading: true) == 3)
        #expect(place.content(path) == [1, 2, 3])
        clock.advance(9)
        #expect(try store.collect(rules).trashed.count == 0)
        clock.advance(1)
        #expect(try store.collect(rules).trashed.count == 1)
        #expect(place.content(path) == nil)
        #expect(place.entries("trash") == [digest.hex])
        clock.advance(20)
        #expect(try store.collect(rules).removed == .init(count: 1, bytes: 3))
        #expect(place.entries("trash").isEmpty)
        #expect(try store.holders(of: digest).isEmpty)
        #expect(try store.collect(rules) == CollectionReport())
    }

    @Test func whatAManifestNeedsStaysForEver() async throws {
        let digest = try await store.publish([("f", [1]), ("g", [2])], name: name, version: Sample.tag("1"))
        let index = Array(
            """
            {"schemaVersion":2,"mediaType":"\(MediaType.imageIndex)","manifests":[{"mediaType":\
            "\(MediaType.imageManifest)","digest":"\(digest)","size":1}]}
            """.utf8)
        let other = try await store.publish(
            index, mediaType: MediaType.imageIndex, name: name, version: .digest(SHA256.digest(of: index)))
        clock.advance(100 * Self.lease)
        let report = try store.collect(Self.rules())
        #expect(report.unneeded.count == 0)
        #expect(report.referenced.count == 5)
        for needed in [SHA256.digest(of: [1]), SHA256.digest(of: [2]), digest, other] {
            #expect(try store.blobSize(needed, name: name) != nil)
        }
        try Disk(place.path).check(store)
    }

    @Test func aPushUnderWayKeepsItsBlobs() async throws {
        let digest = try await store.push([1], name: name)
        #expect(try store.collect(Self.rules()).leased.count == 1)
        clock.advance(Self.lease)
        // Asked for by somebody who will skip it.
        #expect(try store.claimBlob(digest, name: name, holder: "push") == 1)
        #expect(try store.collect(Self.rules()).unneeded.count == 0)
        clock.advance(Self.lease)
        #expect(try store.mount(digest, from: name, to: Sample.name("other")))
        #expect(try store.collect(Self.rules()).unneeded.count == 0)
        clock.advance(Self.lease)
        #expect(try store.collect(Self.rules()).unneeded.count == 1)
        // Condemned: now it is missing to all of them.
        #expect(try store.claimBlob(digest, name: name, holder: "push") == nil)
        #expect(try !store.mount(digest, from: name, to: Sample.name("third")))
    }

    /// In each state that a collection leaves a blob in, a push brings it back for good.
    @Test(arguments: [0, 1, 2]) func aPushBringsBackWhatWasCondemned(rounds: Int) async throws {
        let rules = Self.rules(readTime: 10, trashTime: 10)
        let digest = try await store.push([1], name: name)
        clock.advance(Self.lease)
        for _ in 0...rounds {
            try store.collect(rules)
            clock.advance(10)
        }
        try await store.publish([("f", [1])], name: name, version: Sample.tag("1"))
        clock.advance(100 * Self.lease)
        try store.collect(rules)
        #expect(try store.blobSize(digest, name: name) == 1)
        #expect(place.entries("trash").isEmpty)
        try Disk(place.path).check(store)
    }

    @Test func theBrakeHoldsWithNumbersUntilItIsReleased() async throws {
        try await store.publish([("f", [1])], name: name, version: Sample.tag("1"))
        for number in 0..<20 { try await store.push(Sample.bytes(100, seed: UInt8(number)), name: name) }
        clock.advance(Self.lease)
        var rules = Self.rules(hasBrake: true)
        rules.brakeMinimum = 1000
        let error = #expect(throws: StoreError.self) { try store.collect(rules) }
        #expect(error?.code == .tooMuch)
        #expect(error?.message.contains("20 blobs of 2000 bytes") == true)
        #expect(try store.survey(rules).unneeded.count == 20)
        rules.hasBrake = false
        #expect(try store.collect(rules).unneeded.count == 20)
    }

    @Test func aSurveyChangesNothingAndGivesExamples() async throws {
        let digest = try await store.push([1], name: name)
        clock.advance(Self.lease)
        let report = try store.survey(Self.rules())
        #expect(report.examples == [digest])
        #expect(try store.blobSize(digest, name: name) == 1)
        #expect(try store.auditEntries(after: 0, limit: 10).isEmpty)
    }

    /// The clock of a box without a battery: a year forward, a year back, over a restart.
    @Test(arguments: [366 * 86400, -366 * 86400] as [Int64]) func aClockThatLeapsMakesNothingOlder(leap: Int64)
        async throws
    {
        let place = try TemporaryStore()
        var store: ArtifactStore? = try place.open(clock: clock)
        let digest = try #require(try await store?.push([1], name: name))
        try store?.keepTime()
        store = nil
        clock.advance(leap)
        let reopened = try place.open(clock: clock)
        #expect(try reopened.collect(Self.rules()).leased.count == 1)
        #expect(try reopened.blobSize(digest, name: name) == 1)
        #expect(try await reopened.expire() == 0)
        clock.advance(Self.lease)
        #expect(try reopened.collect(Self.rules()).unneeded.count == 1)
    }

    /// What time a box has at its start may be decades behind, and leap when it is known: only what runs counts.
    @Test func aWallClockThatLeapsCountsForNothing() async throws {
        let place = try TemporaryStore()
        let wall = ManualClock()
        let running = ManualClock()
        func open() throws -> ArtifactStore {
            try ArtifactStore(
                StoreConfiguration(
                    path: place.path, reserve: 0, clock: { wall.now }, monotonicClock: { running.now },
                    files: place.files))
        }
        var store: ArtifactStore? = try open()
        let digest = try #require(try await store?.push([1], name: name))
        for _ in 0..<3 {
            try store?.keepTime()
            store = nil
            running.advance(-running.now)
            wall.advance(40 * 366 * 86400)
            store = try open()
            wall.advance(40 * 366 * 86400)
            #expect(try store?.collect(Self.rules()).leased.count == 1)
        }
        running.advance(Self.lease)
        #expect(try store?.collect(Self.rules()).unneeded.count == 1)
        _ = digest
    }

    @Test func aBlobThatCannotBeMovedDoesNotStopTheOthers() async throws {
        var digests: [Digest] = []
        for number in 0..<3 { digests.append(try await store.push([UInt8(number)], name: name)) }
        clock.advance(Self.lease)
        try store.collect(Self.rules(readTime: 10))
        clock.advance(10)
        // A directory in the way of the second.
        let blocked = place.path + "/trash/" + digests[1].hex
        try FileManager.default.createDirectory(atPath: blocked, withIntermediateDirectories: false)
        try Data().write(to: URL(filePath: blocked + "/something"))
        let report = try store.collect(Self.rules(readTime: 10, trashTime: 1000))
        #expect(report.trashed.count == 2)
        #expect(report.failures.count == 1)
        #expect(report.failures.first?.contains(digests[1].hex) == true)
        try FileManager.default.removeItem(atPath: blocked)
        #expect(try store.collect(Self.rules(readTime: 10)).trashed.count == 1)
    }

    /// Killed at each call of each round; then everything goes on, and nothing that was promised is lost.
    @Test func aKilledCollectionIsTakenUpAgain() async throws {
        var runs = 0
        var call = 0
        while true {
            let place = try TemporaryStore()
            let clock = ManualClock()
            var store: ArtifactStore? = try place.open(clock: clock)
            let kept = try await store?.publish([("f", [1])], name: name, version: Sample.tag("1"))
            for number in 2..<5 { _ = try await store?.push([UInt8(number)], name: name) }
            clock.advance(Self.lease)
            place.files.setFault(.crash(call))
            for _ in 0..<3 { _ = try? store?.collect(Self.rules()) }
            let isDone = place.files.calls.count <= call
            place.files.setFault(.none)
            store = nil
            let reopened = try place.open(clock: clock)
            for _ in 0..<3 { try reopened.collect(Self.rules()) }
            #expect(place.entries("trash").isEmpty, "call \(call)")
            #expect(Disk(place.path).blobFiles().count == 3, "call \(call)")
            #expect(try reopened.releases.release(Reference("debian:1"))?.digest == kept, "call \(call)")
            try Disk(place.path).check(reopened)
            runs += 1
            guard !isDone else { break }
            call += 1
        }
        #expect(runs > 15)
        print("store kills: \(runs) killed collections")
    }
}

/// Pushes, promotions, deletions and pulls beside collections without any grace: quay's three-hour soak, shorter here and
/// as long as `PROVISIONER_SOAK_SECONDS` says.
@Suite struct CollectionSoakTests {
    private struct Counts {
        var pushes = 0
        /// By each worker.
        var finished = [0, 0, 0, 0]
        var collections = 0
        var removed = 0
        var deletedByOther = 0
    }

    private final class Tally: Sendable {
        private let counts = Mutex(Counts())
        var value: Counts { counts.withLock { $0 } }
        func add(_ change: (inout Counts) -> Void) { counts.withLock { change(&$0) } }
    }

    /// Pushes of each of the four, at least.
    private static let rounds = 60

    /// Sends what is missing, one by one or together: both kinds meet on the same blobs.
    private static func push(
        _ contents: [[UInt8]], _ name: ArtifactName, _ store: ArtifactStore, asBatch: Bool
    ) async throws {
        guard asBatch else {
            for bytes in contents where try store.claimBlob(SHA256.digest(of: bytes), name: name, holder: "soak") == nil
            {
                try await store.push(bytes, name: name)
            }
            return
        }
        let blobs = contents.map { SmallBlob(digest: SHA256.digest(of: $0), bytes: $0) }
        let missing = try store.missingBlobs(blobs.map(\.digest), name: name, holder: "soak") { _ in true }
        try await store.storeBatch(blobs.filter { missing.contains($0.digest) }, name: name)
    }

    @Test func nothingThatWasAcknowledgedIsLost() async throws {
        let seconds = ProcessInfo.processInfo.environment["PROVISIONER_SOAK_SECONDS"].flatMap { Int($0) } ?? 0
        let place = try TemporaryStore()
        let clock = ManualClock()
        let store = try place.open(clock: clock)
        var rules = CollectionRules()
        rules.grace = 0
        rules.readTime = 0
        rules.trashTime = 0
        rules.hasBrake = false
        let aggressive = rules
        let tally = Tally()
        let start = ContinuousClock.now
        let end = start + .seconds(seconds)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    var generator = Generator(seed: UInt64(worker) + 1)
                    let name = try Sample.name("soak/\(worker % 2)")
                    var round = 0
                    while round < Self.rounds || ContinuousClock.now < end {
                        round += 1
                        // Few different contents: every push meets blobs that are being collected.
                        let files = (0..<3).map { index in
                            (path: "f\(index)", bytes: Sample.bytes(64, seed: UInt8(generator.next() % 12)))
                        }
                        do {
                            try await Self.push(files.map(\.bytes), name, store, asBatch: generator.next() % 2 == 0)
                            try await store.push(Array("{}".utf8), name: name)
                            let bytes = try Sample.manifest(files)
                            let digest = try await store.publish(
                                bytes, mediaType: MediaType.imageManifest, name: name,
                                version: .digest(SHA256.digest(of: bytes)))
                            for file in files {
                                let size = try store.blobSize(SHA256.digest(of: file.bytes), name: name)
                                #expect(size == 64, "acknowledged and missing")
                            }
                            tally.add { $0.pushes += 1 }
                            if generator.next() % 3 > 0 { try store.delete(manifest: digest, name: name) }
                        } catch let error as StoreError where error.code == .manifestUnknown {
                            // The other worker of the name deleted the same one first.
                            tally.add { $0.deletedByOther += 1 }
                        }
                        tally.add { $0.finished[worker] += 1 }
                    }
                    tally.add { $0.finished[worker] = .max }
                }
            }
            group.addTask {
                // Half of a lease goes by whenever each of them has finished a push since the last time: no push is
                // under way for longer than its leases last, and those of earlier ones run out.
                var finished = tally.value.finished
                while tally.value.finished.contains(where: { $0 < .max }) {
                    let now = tally.value.finished
                    if zip(now, finished).allSatisfy({ $0 > $1 || $0 == .max }) {
                        finished = now
                        clock.advance(BlobCommitter.leaseSeconds / 2 + 1)
                    }
                    let report = try store.collect(aggressive)
                    #expect(report.failures.isEmpty, "\(report.failures)")
                    tally.add {
                        $0.collections += 1
                        $0.removed += report.removed.count
                    }
                    await Task.yield()
                }
            }
            try await group.waitForAll()
        }
        try Disk(place.path).check(store)
        let result = tally.value
        #expect(result.pushes > 10 && result.collections > 2 && result.removed > 0, "\(result)")
        print(
            "collection soak: \((ContinuousClock.now - start).components.seconds) s, \(result.pushes) pushes, \(result.deletedByOther) manifests deleted by another first, \(result.collections) collections, \(result.removed) blobs removed"
        )
    }
}

/// Small and repeatable.
private struct Generator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state >> 8
    }
}

/// A clock that a test moves.
final class ManualClock: Sendable {
    private let seconds = Mutex<Int64>(1_000_000_000)
    var now: Int64 { seconds.withLock { $0 } }
    func advance(_ count: Int64) { seconds.withLock { $0 += count } }
}

extension TemporaryStore {
    func open(clock: ManualClock) throws -> ArtifactStore {
        try ArtifactStore(StoreConfiguration(path: path, reserve: 0, clock: { clock.now }, files: files))
    }
}
