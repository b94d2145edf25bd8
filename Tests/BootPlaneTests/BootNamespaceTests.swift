import Artifacts
import Boot
import Foundation
import Site
import TFTP
import TestSupport
import Testing

@testable import BootPlane

@Suite struct BootNamespaceTests {
    static let site = SiteFixture(
        machines: [
            .init(
                name: "hv01", mac: "52:54:00:20:99:21", address: "10.20.99.21", assignment: "{profile: p, boot: once}")
        ],
        profiles: ["p: {kernel: \"os:1/linux\", answer: \"os:1/answer\"}"])

    /// A namespace with one published version, its blobs in `directory`.
    private func make(in directory: URL, site text: String = site.yaml) throws -> BootNamespace {
        let site = try #require(Site.parse(Array(text.utf8)).site)
        var files: [ArtifactPath: ReleaseFile] = [:]
        for (path, text) in [("linux", "kernel"), ("answer", "host ${host.name} ${UNKNOWN} ${boot.url}")] {
            let digest = SHA256.digest(of: text.utf8)
            try Data(text.utf8).write(to: directory.appending(path: digest.hex))
            files[try ArtifactPath(path)] = ReleaseFile(digest: digest, size: Int64(text.utf8.count))
        }
        var releases = ReleaseIndex()
        releases.insert(
            try Release(digest: SHA256.digest(of: "m".utf8), files: files), name: try ArtifactName("os"),
            tag: try Tag("1"))
        return BootNamespace(backend: FakeBackend(site: site, releases: releases, directory: directory))
    }

    private func text(_ resource: BootResource) throws -> String {
        switch resource.body {
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .file(let file, _, _): String(decoding: try #require(file.bytes()), as: UTF8.self)
        }
    }

    @Test func servesFilesByTagByDigestAndAsBlobs() async throws {
        try await TemporaryDirectory.with { directory in
            let namespace = try make(in: directory)
            let digest = SHA256.digest(of: "kernel".utf8)
            let manifest = SHA256.digest(of: "m".utf8)
            for path in [["os:1", "linux"], ["os@\(manifest)", "linux"], ["blobs", "sha256", digest.hex]] {
                let resource = try namespace.resource(path, address: nil)
                #expect(try text(resource) == "kernel")
                #expect(resource.digest == digest)
                #expect(resource.isImmutable == (path[0] != "os:1"))
            }
        }
    }

    @Test func refusesWhatIsNotPublished() async throws {
        try await TemporaryDirectory.with { directory in
            let namespace = try make(in: directory)
            let stray = SHA256.digest(of: "stray".utf8)
            try Data("stray".utf8).write(to: directory.appending(path: stray.hex))
            for path in [
                ["blobs", "sha256", stray.hex], ["os:2", "linux"], ["os:1", "other"], ["os:1"], [], ["x", "y"],
            ] {
                #expect(throws: BootRefusal.self) { try namespace.resource(path, address: nil) }
            }
        }
    }

    @Test func aFileOfTheWrongLengthIsDamaged() async throws {
        try await TemporaryDirectory.with { directory in
            let namespace = try make(in: directory)
            let digest = SHA256.digest(of: "kernel".utf8)
            try Data("kern".utf8).write(to: directory.appending(path: digest.hex))
            #expect(throws: BootRefusal.damaged) { try namespace.resource(["os:1", "linux"], address: nil) }
        }
    }

    @Test func answersAreFilledInForTheirTokenOnly() async throws {
        try await TemporaryDirectory.with { directory in
            let namespace = try make(in: directory)
            let answer = try namespace.resource(["hosts", FakeBackend.token, "answer"], address: nil)
            #expect(
                try text(answer) == "host hv01 ${UNKNOWN} http://pxe.dvntm.deevnet.net/hosts/hv01.token")
            #expect(answer.digest == nil)
            #expect(throws: BootRefusal.forbidden("this per-boot URL is not valid, or no longer")) {
                try namespace.resource(["hosts", "other", "answer"], address: nil)
            }
        }
    }

    @Test func overlaysAreFilledInForTheirTokenOnly() async throws {
        try await TemporaryDirectory.with { directory in
            var site = Self.site
            site.profiles = [
                "p:", "  kernel: \"os:1/linux\"",
                "  overlay: {a/b: {from: \"os:1/answer\", fill: true, mode: \"0755\"}, c: {from: \"os:1/answer\"}}",
            ]
            let namespace = try make(in: directory, site: site.yaml)
            let path = ["hosts", FakeBackend.token, "overlay.cpio"]
            let overlay = try namespace.resource(path, address: nil)
            let filled = "host hv01 ${UNKNOWN} http://pxe.dvntm.deevnet.net/hosts/hv01.token"
            #expect(try text(overlay) == "a/b 755 \(filled)|c 644 host ${host.name} ${UNKNOWN} ${boot.url}")
            #expect(overlay.digest == nil && !overlay.isImmutable)
            #expect(throws: BootRefusal.self) {
                try namespace.resource(["hosts", "other", "overlay.cpio"], address: nil)
            }
            let none = try make(in: directory)
            #expect(throws: BootRefusal.notFound("this host's profile has no overlay")) {
                try none.resource(path, address: nil)
            }
        }
    }

    /// A host whose address comes from the pool is answered by where it asks from.
    @Test func aHostWithoutAFixedAddressGetsItsAnswers() async throws {
        try await TemporaryDirectory.with { directory in
            let namespace = try make(in: directory, site: Self.site.yaml.replacing("ip: 10.20.99.21", with: "ip: dhcp"))
            let path = ["hosts", FakeBackend.token, "answer"]
            for address in [IPv4Address("10.20.99.150"), nil] {
                #expect(try text(namespace.resource(path, address: address)).contains("http://pxe.dvntm.deevnet.net/"))
            }
        }
    }

    @Test func scriptsComeFromTheOneDecision() async throws {
        try await TemporaryDirectory.with { directory in
            let namespace = try make(in: directory)
            let known = try namespace.resource(["ipxe", "script"], query: ["mac": "52-54-00-20-99-21"], address: nil)
            #expect(try text(known).contains("kernel --name linux http://artifacts.dvntm.deevnet.net/os:1/linux"))
            let unknown = try namespace.resource(["ipxe", "script"], query: ["mac": "52-54-00-00-00-00"], address: nil)
            #expect(try !text(unknown).contains("kernel"))
            let nothing = try namespace.resource(["ipxe", "script"], address: nil)
            #expect(try !text(nothing).contains("kernel"))
        }
    }
}
