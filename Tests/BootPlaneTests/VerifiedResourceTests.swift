import Artifacts
import Boot
import Foundation
import Logging
import Site
import Synchronization
import TFTP
import TestSupport
import Testing

@testable import BootPlane

/// What machines verify, in the namespace.
@Suite struct VerifiedResourceTests {
    private static func with(
        verify: String, _ body: (BootNamespace, FakeBackend) throws -> Void
    ) async throws {
        try await TemporaryDirectory.with { directory in
            let fixture = SiteFixture(
                machines: [
                    .init(
                        name: "hv01", mac: "52:54:00:20:99:21", address: "10.20.99.21",
                        assignment: "{profile: p, boot: once}"),
                    .init(
                        name: "hv02", mac: "52:54:00:20:99:22", address: "10.20.99.22",
                        assignment: "{profile: p, boot: local}"),
                ],
                profiles: [
                    "p: {kernel: \"os:1/linux\", initrd: [\"os:1/initrd\"], args: [\"up=${boot.url}\"], verify: \(verify)}"
                ])
            let site = try #require(Site.parse(Array(fixture.yaml.utf8)).site)
            var files: [ArtifactPath: ReleaseFile] = [:]
            for name in ["linux", "initrd"] {
                let digest = SHA256.digest(of: name.utf8)
                try Data(name.utf8).write(to: directory.appending(path: digest.hex))
                files[try ArtifactPath(name)] = ReleaseFile(digest: digest, size: Int64(name.utf8.count))
            }
            var releases = ReleaseIndex()
            releases.insert(
                try Release(digest: SHA256.digest(of: "m".utf8), files: files), name: try ArtifactName("os"),
                tag: try Tag("1"))
            let backend = FakeBackend(site: site, releases: releases, directory: directory)
            try body(BootNamespace(backend: backend), backend)
        }
    }

    private static func text(_ namespace: BootNamespace, _ path: String...) throws -> String {
        let resource = try namespace.resource(path, address: nil)
        return String(decoding: try #require(resource.smallBytes), as: UTF8.self)
    }

    @Test func theSignatureBesideAConfigurationIsOverItsVeryBytes() async throws {
        try await Self.with(verify: "grub") { namespace, _ in
            for mac in ["52:54:00:20:99:21", "52:54:00:20:99:22", "52:54:00:99:99:99"] {
                let text = try Self.text(namespace, "grub", "\(mac).cfg")
                #expect(text.contains("if linux ") == (mac == "52:54:00:20:99:21"), "\(text)")
                let signature = try Self.text(namespace, "grub", "\(mac).cfg.sig")
                #expect(signature == "openPGP over \(SHA256.digest(of: text.utf8))")
            }
            let digest = SHA256.digest(of: "linux".utf8)
            #expect(try Self.text(namespace, "grub", "files", "os:1", "linux") == "linux")
            #expect(try Self.text(namespace, "grub", "files", "os:1", "linux.sig") == "openPGP of \(digest)")
            #expect(try Self.text(namespace, "signatures", "os:1", "linux") == "cms of \(digest)")
            #expect(throws: BootRefusal.self) { _ = try Self.text(namespace, "grub", "no-mac.cfg") }
            #expect(throws: BootRefusal.self) { _ = try Self.text(namespace, "grub", "files", "os:1", "linux.sig.sig") }
        }
    }

    @Test func anImageIsOfOneHostAndOnlyOfOneThatBootsIt() async throws {
        try await Self.with(verify: "firmware") { namespace, _ in
            let text = try Self.text(namespace, "uki", "52:54:00:20:99:21.efi")
            #expect(text.contains("kernel \(SHA256.digest(of: "linux".utf8))"))
            #expect(text.contains("initrds \(SHA256.digest(of: "initrd".utf8))"))
            #expect(text.hasSuffix("arguments up=http://pxe.dvntm.deevnet.net/hosts/hv01.steady"))
            for name in ["52:54:00:20:99:22.efi", "52:54:00:99:99:99.efi", "x.efi", "52:54:00:20:99:21"] {
                #expect(throws: BootRefusal.self, "\(name)") { _ = try Self.text(namespace, "uki", name) }
            }
        }
        try await Self.with(verify: "grub") { namespace, _ in
            #expect(throws: BootRefusal.self) { _ = try Self.text(namespace, "uki", "52:54:00:20:99:21.efi") }
        }
    }

    /// Somebody looks at what a machine would get: its timeline says nothing of it, and no token is given.
    @Test func anImageThatIsLookedAtIsNoBoot() async throws {
        try await Self.with(verify: "firmware") { namespace, _ in
            let path = ["uki", "52:54:00:20:99:21.efi"]
            let resource = try namespace.resource(path, query: ["preflight": "1"], address: nil)
            #expect(resource.event == nil)
            let text = String(decoding: try #require(resource.smallBytes), as: UTF8.self)
            #expect(text.hasSuffix("arguments up=http://pxe.dvntm.deevnet.net/hosts/preflight"))
            #expect(try namespace.resource(path, address: nil).event != nil)
        }
    }

    /// TFTP says nothing until it is there; what cannot be made is an error at once.
    @Test func whatIsBeingMadeIsAskedForAgain() async throws {
        try await Self.with(verify: "firmware") { namespace, backend in
            let service = BootTFTPService(
                namespace: namespace, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            for path in ["uki/52:54:00:20:99:21.efi", "loaders/grub-pc.0", "signatures/os:1/linux"] {
                backend.delays.withLock { $0 = 1 }
                guard case .notYet = service.reply(path: path, client: "10.20.99.21") else {
                    Issue.record("\(path) had an answer before it was there")
                    continue
                }
                guard case .file = service.reply(path: path, client: "10.20.99.21") else {
                    Issue.record("\(path) had no answer when it was there")
                    continue
                }
                backend.delays.withLock { $0 = -1 }
                guard case .notFound = service.reply(path: path, client: "10.20.99.21") else {
                    Issue.record("\(path) cannot be made, and is")
                    continue
                }
            }
        }
    }
}
