import Artifacts
import Foundation
import Testing
import Trust

@testable import Store

/// Channels: the tags that move, with a history and back.
@Suite struct ChannelTests {
    private let place: TemporaryStore
    private let store: ArtifactStore
    private let name: ArtifactName
    private let prod: Artifacts.Tag

    init() throws {
        place = try TemporaryStore()
        store = try place.open(now: 50)
        name = try Sample.name()
        prod = try Tag("prod")
    }

    /// Versions 1, 2, 3, each with a file of its own.
    private func publish(_ tags: String...) async throws -> [Digest] {
        var digests: [Digest] = []
        for tag in tags {
            digests.append(try await store.publish([("f", Array(tag.utf8))], name: name, version: Sample.tag(tag)))
        }
        return digests
    }

    private func position(_ store: ArtifactStore? = nil) -> Digest? {
        (store ?? self.store).releases.release(Reference(name: name, version: .tag(prod)))?.digest
    }

    @Test func followsItsPromotionsAndSurvivesReopening() async throws {
        let digests = try await publish("1", "2")
        try await store.promote(Sample.tag("1"), to: prod, name: name, expecting: .absent, by: "ann")
        #expect(position() == digests[0])
        try await store.promote(.digest(digests[1]), to: prod, name: name, expecting: .at(digests[0]), by: "bob")
        #expect(position() == digests[1])
        #expect(try store.manifest(.tag(prod), name: name).digest == digests[1])
        let history = try store.history(prod, name: name)
        #expect(history.map(\.digest) == [digests[1], digests[0]])
        #expect(history.map(\.actor) == ["bob", "ann"])
        #expect(history.map(\.movedAt) == [50, 50])
        #expect(try store.taggedArtifacts().filter(\.isChannel).map(\.tag) == [prod])
    }

    @Test func promotingWhereItStandsIsNoMove() async throws {
        _ = try await publish("1")
        let first = try await store.promote(Sample.tag("1"), to: prod, name: name)
        #expect(try await store.promote(Sample.tag("1"), to: prod, name: name) == first)
        #expect(try store.history(prod, name: name).count == 1)
    }

    @Test func theOneWhoIsLateIsTold() async throws {
        let digests = try await publish("1", "2", "3")
        try await store.promote(Sample.tag("1"), to: prod, name: name)
        for expectation in [ChannelExpectation.absent, .at(digests[1])] {
            await #expect(throws: StoreError(.channelMoved, "")) {
                try await store.promote(Sample.tag("3"), to: prod, name: name, expecting: expectation)
            }
            await #expect(throws: StoreError(.channelMoved, "")) {
                try await store.rollBack(prod, name: name, expecting: .at(digests[1]))
            }
        }
        #expect(position() == digests[0])
        #expect(try store.history(prod, name: name).count == 1)
    }

    /// Many at once from the same position: one wins.
    @Test func oneOfManyPromotionsWins() async throws {
        let digests = try await publish("0", "1", "2", "3", "4", "5", "6", "7")
        try await store.promote(Sample.tag("0"), to: prod, name: name)
        let store = self.store
        let prod = self.prod
        let name = self.name
        let winners = await withTaskGroup(of: Digest?.self) { group in
            for digest in digests.dropFirst() {
                group.addTask {
                    try? await store.promote(.digest(digest), to: prod, name: name, expecting: .at(digests[0])).digest
                }
            }
            return await group.reduce(into: [Digest]()) { if let digest = $1 { $0.append(digest) } }
        }
        #expect(winners.count == 1)
        #expect(position() == winners.first)
    }

    @Test func rollbackGoesBackStepByStepAndNeverForward() async throws {
        let digests = try await publish("1", "2", "3", "4")
        for tag in ["1", "2", "3"] { try await store.promote(Sample.tag(tag), to: prod, name: name) }
        #expect(try await store.rollBack(prod, name: name).digest == digests[1])
        #expect(try await store.rollBack(prod, name: name).digest == digests[0])
        await #expect(throws: StoreError(.noEarlierVersion, "")) { try await store.rollBack(prod, name: name) }
        #expect(position() == digests[0])
        try await store.promote(Sample.tag("4"), to: prod, name: name)
        #expect(try await store.rollBack(prod, name: name).digest == digests[0])
        await #expect(throws: StoreError(.noEarlierVersion, "")) { try await store.rollBack(prod, name: name) }
        #expect(try store.history(prod, name: name).map(\.restores) == [1, nil, 1, 2, nil, nil, nil])
    }

    @Test func goesBackPastWhatNamesTheSameVersion() async throws {
        let digests = try await publish("1", "2")
        try await store.promote(Sample.tag("1"), to: prod, name: name)
        try await store.promote(Sample.tag("2"), to: prod, name: name)
        try store.delete(prod, name: name)
        await #expect(throws: StoreError(.manifestUnknown, "")) { try await store.rollBack(prod, name: name) }
        try await store.promote(Sample.tag("2"), to: prod, name: name)
        #expect(try await store.rollBack(prod, name: name).digest == digests[0])
    }

    /// A version whose manifest machines could not be given is no place for a channel.
    @Test func aDamagedManifestIsNotPromotedUntilItIsPushedAgain() async throws {
        let digests = try await publish("1", "2")
        try await store.promote(Sample.tag("1"), to: prod, name: name)
        let path = store.blobPath(digests[1])
        try FileManager.default.removeItem(atPath: path)
        try Data([1]).write(to: URL(filePath: path))
        await #expect(throws: StoreError(.failure, "")) {
            try await store.promote(Sample.tag("2"), to: prod, name: name)
        }
        #expect(position() == digests[0])
        _ = try await publish("2")
        try await store.promote(Sample.tag("2"), to: prod, name: name)
        #expect(position() == digests[1])
    }

    @Test func whoMayNotPromoteDoesNotMoveAChannelByPushing() async throws {
        let digests = try await publish("1", "2")
        try await store.promote(Sample.tag("1"), to: prod, name: name)
        let bytes = try Sample.manifest([("f", Array("2".utf8))])
        await #expect(throws: StoreError(.notPermitted, "")) {
            try await store.publish(
                bytes, mediaType: MediaType.imageManifest, name: name, version: .tag(prod), mayMoveChannel: false)
        }
        #expect(position() == digests[0])
    }

    @Test func aVersionIsNoChannelAndNeverMoves() async throws {
        let digests = try await publish("1", "2")
        await #expect(throws: StoreError(.tagExists, "")) {
            try await store.promote(Sample.tag("2"), to: Tag("1"), name: name)
        }
        #expect(try store.manifest(Sample.tag("1"), name: name).digest == digests[0])
        await #expect(throws: StoreError(.manifestUnknown, "")) {
            try await store.promote(Sample.tag("9"), to: prod, name: name)
        }
        await #expect(throws: StoreError(.manifestUnknown, "")) { try await store.rollBack(prod, name: name) }
        #expect(throws: StoreError(.manifestUnknown, "")) { try store.history(prod, name: name) }
    }

    /// Registry clients know tags only: they move a channel by pushing to it.
    @Test func pushingToAChannelMovesIt() async throws {
        let digests = try await publish("1")
        try await store.promote(Sample.tag("1"), to: prod, name: name)
        let pushed = try await store.publish([("f", [9])], name: name, version: .tag(prod))
        #expect(position() == pushed)
        #expect(try store.history(prod, name: name).map(\.digest) == [pushed, digests[0]])
    }

    @Test func aManifestThatAChannelNamesIsNotDeleted() async throws {
        let digests = try await publish("1", "2")
        try await store.promote(Sample.tag("1"), to: prod, name: name)
        #expect(throws: StoreError(.inUse, "")) { try store.delete(manifest: digests[0], name: name) }
        #expect(position() == digests[0])
        try await store.promote(Sample.tag("2"), to: prod, name: name)
        try store.delete(manifest: digests[0], name: name)
        await #expect(throws: StoreError(.manifestUnknown, "")) { try await store.rollBack(prod, name: name) }
        #expect(position() == digests[1])
    }

    @Test func theIndexIsTheSameAfterReopening() async throws {
        let digests = try await publish("1", "2")
        try await store.promote(Sample.tag("1"), to: prod, name: name)
        try await store.promote(Sample.tag("2"), to: prod, name: name)
        try await store.rollBack(prod, name: name)
        let copy = try OfflineCatalog.releases(in: place.path, policy: TrustPolicy(), now: 0)
        #expect(copy.release(Reference(name: name, version: .tag(prod)))?.digest == digests[0])
    }
}
