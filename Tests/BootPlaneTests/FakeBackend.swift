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

    /// Tests install hosts with it.
    let installed = Mutex<(hosts: Set<String>, generation: UInt64)>(([], 0))
    let issuedTokens = Mutex(0)

    private struct Installed: InstallationReading {
        let hosts: Set<String>
        func isInstalled(host: String) -> Bool { hosts.contains(host) }
    }

    func install(_ host: String) {
        installed.withLock { installed in
            installed.hosts.insert(host)
            installed.generation += 1
        }
    }

    var snapshot: BootSnapshot {
        BootSnapshot(
            decider: BootDecider(
                site: site, releases: releases,
                installations: Installed(hosts: installed.withLock { $0.hosts })), httpPort: 80, modes: [:])
    }

    var decisionBasis: DecisionBasis {
        DecisionBasis(
            site: site.revision, releases: releases.generation, installations: installed.withLock { $0.generation })
    }

    func blobPath(_ digest: Digest) -> String { directory.appending(path: digest.hex).path }
    func loaderPath(_ name: String) -> String? { directory.appending(path: name).path }
    func signature(_ form: SignatureForm, of content: FileContent) -> Preparation<[UInt8]> {
        prepared(Array("\(form) of \(content.file.digest)".utf8))
    }

    func signature(_ form: SignatureForm, over bytes: [UInt8]) -> Preparation<[UInt8]> {
        prepared(Array("\(form) over \(SHA256.digest(of: bytes))".utf8))
    }

    func grubImage(_ platform: GRUBPlatform) -> Preparation<[UInt8]> { prepared(Array("GRUB \(platform)".utf8)) }

    /// What went in, for tests to read.
    func kernelImage(_ parts: KernelImageParts) -> Preparation<String> {
        let path = directory.appending(path: "image").path
        let initrds = parts.initrds.map(\.file.digest.description).joined(separator: " ")
        let text = [
            "kernel \(parts.kernel.file.digest)", "initrds \(initrds)",
            "overlay \(String(decoding: parts.overlay ?? [], as: UTF8.self))", "arguments \(parts.arguments)",
        ].joined(separator: "\n")
        guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8)) else { return .failed }
        return prepared(path)
    }

    func steadyToken(host: String, plan: BootPlan) -> String? { "\(host).steady" }

    /// How often what has to be made is not there yet, from now on; negative: it cannot be made.
    let delays = Mutex(0)

    private func prepared<Value>(_ value: Value) -> Preparation<Value> {
        delays.withLock { delays in
            guard delays != 0 else { return .ready(value) }
            guard delays > 0 else { return .failed }
            delays -= 1
            return .preparing
        }
    }

    /// Not cpio: what went in, for tests to read.
    func overlay(_ files: [OverlayFile]) -> [UInt8]? {
        Array(
            files.map { "\($0.path) \(String($0.mode, radix: 8)) \(String(decoding: $0.bytes, as: UTF8.self))" }
                .joined(separator: "|").utf8)
    }

    func tftpBlockSize(at address: IPv4Address) -> Int? { nil }
    func issueToken(host: String) -> String? {
        issuedTokens.withLock { $0 += 1 }
        return "\(host).token"
    }
    func host(forToken token: String) -> String? { token == Self.token ? "hv01" : nil }
    func reportUp(token: String, address: IPv4Address?) -> Bool { token == Self.token }
    func reportInstalled(token: String, address: IPv4Address?) async throws -> Bool { token == Self.token }
    func note(_ event: BootEvent, from address: IPv4Address, bytes: Int64) { events.withLock { $0.append(event) } }
}
