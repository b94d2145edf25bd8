import Artifacts
import Testing

@Suite struct ReleaseIndexTests {
    private static func release(_ content: String) throws -> Release {
        let file = ReleaseFile(digest: SHA256.digest(of: content.utf8), size: Int64(content.utf8.count))
        return try Release(
            digest: SHA256.digest(of: "manifest of \(content)".utf8), files: [try ArtifactPath("file"): file])
    }

    @Test func findsVersionsByTagAndByDigest() throws {
        var index = ReleaseIndex()
        let release = try Self.release("one")
        index.insert(release, name: try ArtifactName("debian"), tag: try Tag("12"))
        #expect(index.release(try Reference("debian:12")) == release)
        #expect(index.release(try Reference("debian@\(release.digest)")) == release)
        #expect(index.file(try FileReference("debian:12/file"))?.size == 3)
        #expect(index.file(try FileReference("debian@\(release.digest)/file"))?.size == 3)
        #expect(index.blobSize(SHA256.digest(of: "one".utf8)) == 3)
    }

    @Test func findsNothingElse() throws {
        var index = ReleaseIndex()
        let release = try Self.release("one")
        index.insert(release, name: try ArtifactName("debian"), tag: try Tag("12"))
        #expect(index.release(try Reference("debian:13")) == nil)
        #expect(index.release(try Reference("other:12")) == nil)
        // A digest is found under its own name only: who may read one name may not read all.
        #expect(index.release(try Reference("other@\(release.digest)")) == nil)
        #expect(index.release(try Reference("debian@\(Digest.empty)")) == nil)
        #expect(index.file(try FileReference("debian:12/other")) == nil)
        #expect(index.blobSize(release.digest) == nil)
    }

    @Test func keepsUntaggedVersions() throws {
        var index = ReleaseIndex()
        let release = try Self.release("one")
        index.insert(release, name: try ArtifactName("debian"), tag: nil)
        #expect(index.release(try Reference("debian@\(release.digest)")) == release)
    }

    @Test func aTagMovesAndTheOldVersionStays() throws {
        var index = ReleaseIndex()
        let first = try Self.release("one")
        let second = try Self.release("two!")
        let name = try ArtifactName("debian")
        index.insert(first, name: name, tag: try Tag("prod"))
        index.insert(second, name: name, tag: try Tag("prod"))
        #expect(index.release(try Reference("debian:prod")) == second)
        #expect(index.release(try Reference("debian@\(first.digest)")) == first)
    }

    @Test func oneManifestMayHaveManyNamesAndTags() throws {
        var index = ReleaseIndex()
        let release = try Self.release("one")
        for (name, tag) in [("a", "1"), ("a", "2"), ("b", "1")] {
            index.insert(release, name: try ArtifactName(name), tag: try Tag(tag))
        }
        for text in ["a:1", "a:2", "b:1", "b@\(release.digest)"] {
            #expect(index.release(try Reference(text)) == release)
        }
    }

    @Test func whatIsRemovedIsGoneUnderThatNameOnly() throws {
        var index = ReleaseIndex()
        let release = try Self.release("one")
        let other = try Self.release("two!")
        let name = try ArtifactName("a")
        for (name, tag) in [("a", "1"), ("a", "2"), ("b", "1")] {
            index.insert(release, name: try ArtifactName(name), tag: try Tag(tag))
        }
        index.insert(other, name: name, tag: try Tag("3"))
        index.remove(try Tag("2"), name: name)
        #expect(index.release(try Reference("a:2")) == nil)
        #expect(index.release(try Reference("a:1")) == release)
        index.remove(release.digest, name: name)
        #expect(index.release(try Reference("a:1")) == nil)
        #expect(index.release(try Reference("a@\(release.digest)")) == nil)
        #expect(index.release(try Reference("a:3")) == other)
        #expect(index.release(try Reference("b:1")) == release)
        let blob = SHA256.digest(of: "one".utf8)
        #expect(index.blobSize(blob) == 3)
        index.remove(release.digest, name: try ArtifactName("b"))
        #expect(index.blobSize(blob) == nil)
        index.remove(release.digest, name: name)
        #expect(index.tagCount == 1)
    }

    /// Two releases of which each has the blob twice: it stays until both are gone.
    @Test func aBlobStaysWhileAnyReleaseHasIt() throws {
        var index = ReleaseIndex()
        let file = ReleaseFile(digest: SHA256.digest(of: "one".utf8), size: 3)
        let name = try ArtifactName("a")
        let releases = try ["x", "y"].map { text in
            try Release(
                digest: SHA256.digest(of: text.utf8),
                files: [try ArtifactPath("\(text)1"): file, try ArtifactPath("\(text)2"): file])
        }
        for release in releases + releases { index.insert(release, name: name, tag: nil) }
        index.remove(releases[0].digest, name: name)
        #expect(index.blobSize(file.digest) == 3)
        index.remove(releases[1].digest, name: name)
        #expect(index.blobSize(file.digest) == nil)
    }

    @Test func aTagPointsAtMembersOnly() throws {
        var index = ReleaseIndex()
        let release = try Self.release("one")
        index.insert(release, name: try ArtifactName("a"), tag: nil)
        index.point(try Tag("prod"), at: release.digest, name: try ArtifactName("a"))
        index.point(try Tag("prod"), at: release.digest, name: try ArtifactName("b"))
        #expect(index.release(try Reference("a:prod")) == release)
        #expect(index.release(try Reference("b:prod")) == nil)
    }

    @Test func aCopyIsASnapshot() throws {
        var index = ReleaseIndex()
        let snapshot = index
        index.insert(try Self.release("one"), name: try ArtifactName("a"), tag: try Tag("1"))
        #expect(snapshot.release(try Reference("a:1")) == nil)
    }
}
