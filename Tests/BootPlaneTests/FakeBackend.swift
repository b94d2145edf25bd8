import Artifacts
import Boot
import BootPlane
import Foundation
import Site
import Synchronization

/// A backend of values: a site, files on disk, one token.
final class FakeBackend: BootBackend {
    static let token = "hv01.token"

    let site: Site
    let releases: ReleaseIndex
    let directory: URL
    let events = Mutex<[BootEvent]>([])

    init(site: Site, releases: ReleaseIndex = ReleaseIndex(), directory: URL) {
        self.site = site
        self.releases = releases
        self.directory = directory
    }

    var snapshot: BootSnapshot {
        BootSnapshot(
            decider: BootDecider(site: site, releases: releases, installations: NoInstallations()), httpPort: 80,
            modes: [:])
    }

    func blobPath(_ digest: Digest) -> String { directory.appending(path: digest.hex).path }
    func loaderPath(_ name: String) -> String? { directory.appending(path: name).path }
    func signature(of content: FileContent) -> [UInt8]? { Array("signature of \(content.file.digest)".utf8) }
    func signature(over bytes: [UInt8]) -> [UInt8]? { Array("signature over \(bytes.count)".utf8) }

    /// Not cpio: what went in, for tests to read.
    func overlay(_ files: [OverlayFile]) -> [UInt8]? {
        Array(
            files.map { "\($0.path) \(String($0.mode, radix: 8)) \(String(decoding: $0.bytes, as: UTF8.self))" }
                .joined(separator: "|").utf8)
    }

    func issueToken(host: String) -> String? { "\(host).token" }
    func host(forToken token: String) -> String? { token == Self.token ? "hv01" : nil }
    func reportUp(token: String, address: IPv4Address?) -> Bool { token == Self.token }
    func reportInstalled(token: String, address: IPv4Address?) async throws -> Bool { token == Self.token }
    func note(_ event: BootEvent, from address: IPv4Address, bytes: Int64) { events.withLock { $0.append(event) } }
}
