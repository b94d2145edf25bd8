import Artifacts
import Foundation
import GPGV
import TestSupport
import Testing

@testable import Trust

/// Signed lists, lists that they list, and the files at the end.
@Suite struct EvidenceTests {
    /// Blobs in a folder, each under its digest, and a minisign key.
    private struct Fixture {
        let lab: SignatureLab
        let key: TrustKey

        @discardableResult
        func blob(_ bytes: [UInt8]) throws -> Digest {
            let digest = SHA256.digest(of: bytes)
            try lab.write(digest.hex, bytes)
            return digest
        }

        func sign(_ bytes: [UInt8]) async throws -> Digest {
            try lab.write("content", bytes)
            try await lab.run("rm -f sig; minisign -S -s k.key -m content -x sig >/dev/null")
            return try blob(lab.bytes("sig"))
        }

        func findings(_ layers: [Descriptor], _ files: [String: [UInt8]], manifest: Digest = .empty) async throws
            -> [SignatureFinding]
        {
            var released: [ArtifactPath: ReleaseFile] = [:]
            for (path, bytes) in files {
                released[try ArtifactPath(path)] = ReleaseFile(digest: try blob(bytes), size: Int64(bytes.count))
            }
            var value = Manifest(
                configuration: Descriptor(mediaType: "x", digest: .empty, size: 0), layers: layers)
            value.artifactType = Evidence.artifactType
            let evidence = try Evidence(manifest: value, digest: .empty, receivedAt: 1000)
            let list = try FileList(FilePage(released.map { ($0.key, $0.value) }))
            let directory = lab.directory
            let verifier = EvidenceVerifier(openPGP: GPGV()) { directory.appending(path: $0.hex).path }
            return await verifier.findings(
                [evidence], about: EvidenceVerifier.Subject(manifest: manifest, files: list), keys: [key])
        }
    }

    private func with(_ body: (Fixture) async throws -> Void) async throws {
        try await SignatureLab.with { lab in
            try await lab.run("minisign -G -W -p k.pub -s k.key >/dev/null")
            try await body(Fixture(lab: lab, key: TrustKey(name: "k", format: .minisign, text: lab.text("k.pub"))))
        }
    }

    private func layer(_ type: String, _ digest: Digest, _ annotations: [String: String] = [:]) -> Descriptor {
        Descriptor(mediaType: type, digest: digest, size: 10, annotations: annotations)
    }

    private func line(_ bytes: [UInt8], _ name: String) -> String { "\(SHA256.digest(of: bytes).hex)  \(name)\n" }

    private static let signature = SignatureFormat.minisign.mediaType

    @Test func aSignedListVouchesForFilesAndForListsThatItNames() async throws {
        try await with { fixture in
            let (linux, initrd, other) = (Array("linux".utf8), Array("initrd".utf8), Array("other".utf8))
            let inner = Array((line(initrd, "initrd") + line(other, "changed")).utf8)
            let outer = Array((line(linux, "linux") + line(inner, "images/SUMS")).utf8)
            let list = try fixture.blob(outer)
            let layers = [
                layer(Evidence.checksums, list, [AnnotationKey.title: "SUMS"]),
                layer(Evidence.checksums, try fixture.blob(inner), [AnnotationKey.title: "images/SUMS"]),
                layer(Self.signature, try await fixture.sign(outer), [Evidence.signsKey: list.description]),
            ]
            let files = ["linux": linux, "initrd": initrd, "changed": [1], "unknown": [2]]
            let findings = try await fixture.findings(layers, files)
            #expect(findings.map(\.fault) == [nil])
            #expect(findings[0].coverage == .paths([try ArtifactPath("linux"), try ArtifactPath("initrd")]))
            #expect(findings[0].notes == ["'images/SUMS' has another hash or size for 'changed'"])
        }
    }

    @Test func aListAndItsSignatureThatAreAmongTheFilesAreVouchedFor() async throws {
        try await with { fixture in
            let linux = Array("linux".utf8)
            let list = Array(line(linux, "linux").utf8)
            let (listed, signed) = (try fixture.blob(list), try await fixture.sign(list))
            let signature = try fixture.lab.bytes(signed.hex)
            let layers = [
                layer(Evidence.checksums, listed, [AnnotationKey.title: "SUMS"]),
                layer(Self.signature, signed, [Evidence.signsKey: listed.description]),
            ]
            let files = ["linux": linux, "SUMS": list, "SUMS.minisig": signature, "a/SUMS": list + [10]]
            let found = try await fixture.findings(layers, files)
            let covered = try ["linux", "SUMS", "SUMS.minisig"].map { try ArtifactPath($0) }
            #expect(found.map(\.coverage) == [.paths(Set(covered))])
            // A signature that is not good vouches for nothing, itself neither.
            var broken = signature
            broken[signature.count / 2] ^= 1
            let bad = layer(Self.signature, try fixture.blob(broken), [Evidence.signsKey: listed.description])
            let none = try await fixture.findings([layers[0], bad], ["SUMS": list, "SUMS.minisig": broken])
            #expect(none.allSatisfy { $0.fault != nil && $0.coverage == .paths([]) }, "\(none)")
        }
    }

    @Test func aListThatNobodySignsAndOneThatIsNotNamedVouchForNothing() async throws {
        try await with { fixture in
            let linux = Array("linux".utf8)
            let list = Array(line(linux, "linux").utf8)
            let plain = layer(Evidence.checksums, try fixture.blob(list), [AnnotationKey.title: "SUMS"])
            #expect(try await fixture.findings([plain], ["linux": linux]).isEmpty)
            // Signed is another list, which names this one by another name only.
            let signed = Array((line(list, "OTHER") + line([9], "x")).utf8)
            let digest = try fixture.blob(signed)
            let findings = try await fixture.findings(
                [
                    plain, layer(Evidence.checksums, digest, [AnnotationKey.title: "A"]),
                    layer(Self.signature, try await fixture.sign(signed), [Evidence.signsKey: digest.description]),
                ], ["linux": linux])
            #expect(findings.map(\.coverage) == [.paths([])])
        }
    }

    @Test func listsThatListEachOtherEnd() async throws {
        try await with { fixture in
            // A list cannot hold its own hash: the loop is through names.
            let a = Array((line([1], "b") + line([2], "x")).utf8)
            let digest = try fixture.blob(a)
            let findings = try await fixture.findings(
                [
                    layer(Evidence.checksums, digest, [AnnotationKey.title: "a"]),
                    layer(Evidence.checksums, try fixture.blob(Array(line(a, "a").utf8)), [AnnotationKey.title: "b"]),
                    layer(Self.signature, try await fixture.sign(a), [Evidence.signsKey: digest.description]),
                ], ["x": [2]])
            #expect(findings[0].coverage == .paths([try ArtifactPath("x")]))
            #expect(findings[0].notes == ["'a' has another hash or size for 'b'"])
        }
    }

    @Test func aSignatureIsOverTheManifestOrOneFile() async throws {
        try await with { fixture in
            let (manifest, linux) = (Array("{}".utf8), Array("linux".utf8))
            let digest = try fixture.blob(manifest)
            let layers = [
                layer(Self.signature, try await fixture.sign(manifest)),
                layer(Self.signature, try await fixture.sign(linux), [Evidence.signsKey: "file:linux"]),
                layer(Self.signature, try await fixture.sign(linux), [Evidence.signsKey: "file:none"]),
                layer(Self.signature, try await fixture.sign(linux), [Evidence.signsKey: "manifest"]),
            ]
            let findings = try await fixture.findings(layers, ["linux": linux], manifest: digest)
            #expect(findings.map { $0.fault == nil } == [true, true, false, false])
            #expect(findings[0].coverage == .everything)
            #expect(findings[1].coverage == .paths([try ArtifactPath("linux")]))
            #expect(findings[2].fault == "the version has no file 'none'")
        }
    }

    @Test func sha512ListsAreHeldAgainstTheBytes() async throws {
        try await with { fixture in
            let linux = Array("linux".utf8)
            try fixture.lab.write("linux", linux)
            let list = try await fixture.lab.run("sha512sum linux")
            let bytes = Array(list.standardOutput.utf8)
            let digest = try fixture.blob(bytes)
            let layers = [
                layer(Evidence.checksums, digest, [AnnotationKey.title: "SHA512SUMS"]),
                layer(Self.signature, try await fixture.sign(bytes), [Evidence.signsKey: digest.description]),
            ]
            #expect(
                try await fixture.findings(layers, ["linux": linux])[0].coverage == .paths([try ArtifactPath("linux")]))
            #expect(try await fixture.findings(layers, ["linux": [1]])[0].coverage == .paths([]))
        }
    }
}
