import Artifacts
import Foundation
import Testing

@testable import Store

/// Blobs that are members of archives live as long as a version has the archive.
@Suite struct ArchiveMemberTests {
    @Test func aMemberStaysWithItsArchiveAndGoesWithIt() async throws {
        let place = try TemporaryStore()
        let clock = ManualClock()
        let store = try place.open(clock: clock)
        let name = try Sample.name()
        let archive: [UInt8] = Sample.bytes(500)
        let digest = try await store.publish([("a.zip", archive)], name: name, version: Sample.tag("1"))
        let member = try await store.push([1, 2, 3], name: name)
        try store.keep([member], of: SHA256.digest(of: archive))
        var settled: Set<Digest> = []
        #expect(store.archives(but: &settled).map(\.path.description) == ["a.zip"])
        #expect(settled.isEmpty)
        settled.insert(digest)
        #expect(store.archives(but: &settled).isEmpty)
        let view = place.path + "/views/" + SHA256.digest(of: archive).hex
        try Data([1]).write(to: URL(filePath: view))
        var rules = CollectionRules()
        (rules.grace, rules.readTime, rules.trashTime, rules.hasBrake) = (0, 0, 0, false)
        clock.advance(BlobCommitter.leaseSeconds + 1)
        for _ in 0..<3 { _ = try store.collect(rules) }
        #expect(place.content(store.blobPath(member)) == [1, 2, 3])
        #expect(try store.archivesWithLostMembers().isEmpty)

        try store.delete(manifest: digest, name: name)
        for _ in 0..<3 {
            clock.advance(1)
            _ = try store.collect(rules)
        }
        #expect(place.content(store.blobPath(member)) == nil)
        #expect(place.content(view) == nil)
        #expect(try store.archivesWithLostMembers().isEmpty)
    }

    @Test func anArchiveWhoseMemberRottedIsTold() async throws {
        let place = try TemporaryStore()
        let store = try place.open()
        let name = try Sample.name()
        let archive: [UInt8] = Sample.bytes(500)
        try await store.publish([("a.zip", archive)], name: name, version: Sample.tag("1"))
        let member = try await store.push(Sample.bytes(100), name: name)
        try store.keep([member], of: SHA256.digest(of: archive))
        let path = store.blobPath(member)
        try FileManager.default.removeItem(atPath: path)
        try Data(Sample.bytes(100, seed: 2)).write(to: URL(filePath: path))
        while try await store.scrubNext(pace: { _ in }) != nil {}
        #expect(try store.archivesWithLostMembers() == [SHA256.digest(of: archive)])
    }
}
