import Artifacts
import Testing

@Suite struct ReferenceTests {
    private static let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    @Test(arguments: ["debian:12.11", "library/debian:latest", "a:_", "debian@\(digest)", "a/b/c@\(digest)"])
    func roundTrips(_ text: String) throws {
        let reference = try Reference(text)
        #expect(reference.description == text)
        #expect(Reference(name: reference.name, version: reference.version) == reference)
    }

    @Test(arguments: [
        "debian:12.11/vmlinuz", "debian:12.11/install.amd/vmlinuz", "library/debian:12/a:b@c", "a:1/with space",
        "a@\(digest)/f", "a/b@\(digest)/x/y", "a:1/\u{301}x/y", "a:1/x\u{301}/y", "a:1/..x",
    ])
    func fileReferenceRoundTrips(_ text: String) throws {
        let reference = try FileReference(text)
        #expect(Array(reference.description.utf8) == Array(text.utf8))
        #expect(FileReference(artifact: reference.artifact, path: reference.path) == reference)
    }

    @Test func cutsAtTheFirstSlashAfterTheVersion() throws {
        let reference = try FileReference("a/b:1/c/d")
        #expect(reference.artifact.description == "a/b:1")
        #expect(reference.path.description == "c/d")
    }

    @Test(arguments: [
        ("", ArtifactError.Code.invalidReference), ("debian", .invalidReference), ("a/b", .invalidReference),
        (":1", .invalidName), ("@\(digest)", .invalidName), ("Debian:1", .invalidName), ("a/:1", .invalidName),
        ("../a:1", .invalidName), ("a :1", .invalidName), ("a:", .invalidTag), ("a:1:2", .invalidTag),
        ("a:1/b", .invalidTag), ("a:..", .invalidTag), ("a:\(digest)", .invalidTag), ("a@", .invalidDigest),
        ("a@sha256:", .invalidDigest), ("a@1", .invalidDigest), ("a@\(digest)0", .invalidDigest),
        ("a@sha512:00", .invalidDigest), ("a:1@\(digest)", .invalidName), ("a@\(digest)@\(digest)", .invalidDigest),
        ("a@\(digest):1", .invalidDigest),
    ])
    func rejectsByTheFaultyPart(_ text: String, _ code: ArtifactError.Code) {
        #expect(throws: ArtifactError(code, "")) { try Reference(text) }
    }

    @Test(arguments: [
        ("", ArtifactError.Code.invalidReference), ("a", .invalidReference), ("a/b", .invalidReference),
        ("a:1", .invalidReference), ("a@\(digest)", .invalidReference), ("a:1/", .invalidPath),
        ("a:1//b", .invalidPath),
        ("a:1/../b", .invalidPath), ("a:1/b/..", .invalidPath), ("a:1/b\n", .invalidPath), (":1/b", .invalidName),
        ("/a:1/b", .invalidName), ("a:/b", .invalidTag), ("a@/b", .invalidDigest), ("a@sha256:/b", .invalidDigest),
    ])
    func rejectsFileReferencesByTheFaultyPart(_ text: String, _ code: ArtifactError.Code) {
        #expect(throws: ArtifactError(code, "")) { try FileReference(text) }
    }

    @Test func versionIsEitherTagOrDigest() throws {
        #expect(try Version("12.11") == .tag(Tag("12.11")))
        #expect(try Version(Self.digest) == .digest(Digest(Self.digest)))
        #expect(try Version(Self.digest).description == Self.digest)
        #expect(throws: ArtifactError(.invalidTag, "")) { try Version("") }
        #expect(throws: ArtifactError(.invalidDigest, "")) { try Version("a:b") }
    }
}
