import Artifacts
import Testing

@testable import Store

/// What rules take, and what they must never take.
@Suite struct RetentionTests {
    private let clock = ManualClock()
    private let store: ArtifactStore
    private let name: ArtifactName

    init() throws {
        store = try TemporaryStore().open(clock: clock)
        name = try Sample.name()
    }

    /// Versions with files of their own, an hour apart.
    @discardableResult
    private func publish(_ tags: String..., as name: ArtifactName? = nil) async throws -> [Digest] {
        var digests: [Digest] = []
        for tag in tags {
            digests.append(
                try await store.publish([("f", Array(tag.utf8))], name: name ?? self.name, version: Sample.tag(tag)))
            clock.advance(3600)
        }
        return digests
    }

    private func rule(_ names: NamePattern = "debian", keep: Int? = nil, untagged: Int? = nil) throws {
        try store.setRetention(RetentionRule(names: names, keptVersions: keep, untaggedHours: untagged))
    }

    private func apply(_ inUse: Set<Reference> = []) throws -> [String] {
        let expected = try store.retentionFindings(inUse: inUse).map(\.reference)
        let taken = try store.applyRetention(inUse: inUse).map(\.reference)
        #expect(taken == expected)
        return taken.map(\.description)
    }

    private func tags() throws -> [String] { try store.taggedArtifacts().map(\.tag.description) }

    @Test func withoutARuleEverythingStays() async throws {
        try await publish("1", "2", "3")
        try rule("other", keep: 1, untagged: 1)
        clock.advance(1_000_000)
        #expect(try apply().isEmpty)
    }

    @Test func theNewestVersionsStay() async throws {
        try await publish("3", "1", "2", "4")
        try rule(keep: 2)
        #expect(try apply() == ["debian:1", "debian:3"])
        #expect(try tags() == ["2", "4"])
        #expect(try apply().isEmpty)
    }

    @Test func whatAChannelNamesOrHasNamedStays() async throws {
        try await publish("1", "2", "3", "4")
        let prod = try Tag("prod")
        try await store.promote(Sample.tag("1"), to: prod, name: name)
        try await store.promote(Sample.tag("2"), to: prod, name: name)
        try rule(keep: 1, untagged: 1)
        clock.advance(1_000_000)
        #expect(try apply() == ["debian:3", try #require(try digestReference("3"))])
        #expect(try tags() == ["1", "2", "4", "prod"])
        #expect(try await store.rollBack(prod, name: name).digest == store.manifest(Sample.tag("1"), name: name).digest)
    }

    /// The reference by digest of a version that has lost its tag.
    private func digestReference(_ tag: String) throws -> String? {
        "debian@\(SHA256.digest(of: try Sample.manifest([("f", Array(tag.utf8))])))"
    }

    @Test func aMoveOfLongAgoKeepsNothing() async throws {
        try await publish("0", "a", "b")
        let prod = try Tag("prod")
        try await store.promote(Sample.tag("0"), to: prod, name: name)
        for move in 0..<ArtifactStore.keptMoves {
            try await store.promote(Sample.tag(move.isMultiple(of: 2) ? "a" : "b"), to: prod, name: name)
        }
        try rule(keep: 1)
        #expect(try apply() == ["debian:0"])
    }

    @Test func whatTheSiteNamesStays() async throws {
        let digests = try await publish("1", "2", "3", "4")
        try rule(keep: 1, untagged: 1)
        clock.advance(1_000_000)
        let inUse: Set<Reference> = [
            try Reference("debian:1"), Reference(name: name, version: .digest(digests[1])),
            try Reference("other:3"),
        ]
        #expect(try apply(inUse).first == "debian:3")
        #expect(try tags() == ["1", "2", "4"])
    }

    @Test func manifestsWithoutATagGoAfterTheirTime() async throws {
        let digests = try await publish("1", "2")
        try store.delete(Tag("1"), name: name)
        try rule(untagged: 24)
        #expect(try apply().isEmpty)
        clock.advance(24 * 3600)
        #expect(try apply() == ["debian@\(digests[0])"])
        #expect(try tags() == ["2"])
    }

    /// An index keeps what it lists, a manifest what is about it.
    @Test func whatIsListedAndWhatIsAboutAnotherStays() async throws {
        let digests = try await publish("1")
        let index = Array(
            """
            {"schemaVersion":2,"mediaType":"\(MediaType.imageIndex)","manifests":[{"mediaType":\
            "\(MediaType.imageManifest)","digest":"\(digests[0])","size":1}]}
            """.utf8)
        let outer = try await store.publish(
            index, mediaType: MediaType.imageIndex, name: name, version: Sample.tag("index"))
        var signature = try Manifest(json: try Sample.manifest([]))
        signature.subject = Descriptor(mediaType: MediaType.imageIndex, digest: outer, size: 1)
        let bytes = try signature.canonicalJSON()
        let about = try await store.publish(
            bytes, mediaType: MediaType.imageManifest, name: name, version: .digest(SHA256.digest(of: bytes)))
        try store.delete(Tag("1"), name: name)
        try rule(untagged: 1)
        clock.advance(1_000_000)
        #expect(try apply().isEmpty)
        // Without its subject it goes, and without the index what that has listed.
        try store.delete(manifest: outer, name: name)
        #expect(Set(try apply()) == ["debian@\(digests[0])", "debian@\(about)"])
    }

    @Test func theRuleThatSaysMostCounts() async throws {
        let deep = try Sample.name("a/b/c")
        try await publish("1", "2", "3", as: deep)
        try rule("*", keep: 1)
        try rule("a/*", keep: 2)
        #expect(try apply() == ["a/b/c:1"])
        try rule("a/b/c", keep: 3)
        #expect(try apply().isEmpty)
        try store.removeRetention("a/b/c")
        try store.removeRetention("a/*")
        #expect(try apply() == ["a/b/c:2"])
        #expect(throws: StoreError(.nameUnknown, "")) { try store.removeRetention("a/*") }
        #expect(try store.retentionRules().map(\.names) == ["*"])
    }
}
