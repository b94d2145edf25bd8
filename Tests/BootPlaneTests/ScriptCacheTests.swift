import Artifacts
import Boot
import Foundation
import Site
import Synchronization
import TestSupport
import Testing

@testable import BootPlane

/// Scripts that are given again without being decided again.
@Suite struct ScriptCacheTests {
    private static let site = SiteFixture(
        machines: (1...2).map { number in
            .init(
                name: "hv0\(number)", mac: "52:54:00:20:99:2\(number)", address: "10.20.99.2\(number)",
                assignment: "{profile: p, boot: once}")
        },
        profiles: ["p: {kernel: \"os:1/linux\", answer: \"os:1/answer\", args: [\"url=${answer.url}\"]}"])

    private static func backend(_ site: String, _ directory: URL) throws -> FakeBackend {
        var releases = ReleaseIndex()
        let size: Int64 = 2 << 20
        let files = try ["linux", "answer"].map { name in
            (try ArtifactPath(name), ReleaseFile(digest: SHA256.digest(of: name.utf8), size: size))
        }
        releases.insert(
            try Release(digest: SHA256.digest(of: "m".utf8), files: Dictionary(uniqueKeysWithValues: files)),
            name: try ArtifactName("os"), tag: try Tag("1"))
        return FakeBackend(
            site: try #require(Site.parse(Array(site.utf8)).site), releases: releases, directory: directory)
    }

    private static func target(_ number: Int) -> String { "/ipxe/script?mac=52-54-00-20-99-2\(number)" }

    private static func ask(_ namespace: BootNamespace, _ number: Int) throws -> String {
        let address = IPv4Address("10.20.99.2\(number)")
        let resource =
            try namespace.knownScript(target(number), at: address)
            ?? namespace.resource(
                ["ipxe", "script"], query: ["mac": "52-54-00-20-99-2\(number)"], address: address,
                target: target(number))
        return String(decoding: try #require(resource.smallBytes), as: UTF8.self)
    }

    @Test func theSecondQuestionIsNotDecidedAgainAndHasATokenOfItsOwn() async throws {
        try await TemporaryDirectory.with { directory in
            let backend = try Self.backend(Self.site.yaml, directory)
            let namespace = BootNamespace(backend: backend)
            #expect(namespace.knownScript(Self.target(1), at: IPv4Address("10.20.99.21")) == nil)
            let first = try Self.ask(namespace, 1)
            #expect(first.contains("kernel --name linux") && first.contains("/hosts/hv01.token/answer"))
            let known = try #require(namespace.knownScript(Self.target(1), at: IPv4Address("10.20.99.21")))
            #expect(known.smallBytes.map { String(decoding: $0, as: UTF8.self) } == first)
            #expect(backend.issuedTokens.withLock { $0 } == 2)
            guard case .script(let request, let decision)? = known.event else {
                return #expect(Bool(false), "it is noted as any other")
            }
            #expect(request.mac == MACAddress("52:54:00:20:99:21") && decision.host == "hv01")
            #expect(namespace.knownScript(Self.target(1), at: IPv4Address("10.20.99.22")) == nil, "another client")
            #expect(namespace.knownScript(Self.target(1) + "&x", at: IPv4Address("10.20.99.21")) == nil)
        }
    }

    @Test func nothingThatWasDecidedOutlivesWhatItWasDecidedOn() async throws {
        try await TemporaryDirectory.with { directory in
            let backend = try Self.backend(Self.site.yaml, directory)
            let namespace = BootNamespace(backend: backend)
            for _ in 0..<2 { #expect(try Self.ask(namespace, 1).contains("kernel --name linux")) }
            backend.install("hv01")
            #expect(try !Self.ask(namespace, 1).contains("kernel --name linux"), "never twice by accident")
            #expect(try Self.ask(namespace, 2).contains("kernel --name linux"))
        }
    }

    @Test func everyChangeOfWhatIsPublishedIsAnotherBasis() throws {
        var releases = ReleaseIndex()
        var seen: Set<UInt64> = [releases.generation]
        let name = try ArtifactName("os")
        let release = try Release(
            digest: SHA256.digest(of: "m".utf8),
            files: [try ArtifactPath("f"): ReleaseFile(digest: SHA256.digest(of: "f".utf8), size: 1)])
        let tag = try Tag("1")
        let changes: [(inout ReleaseIndex) -> Void] = [
            { $0.insert(release, name: name, tag: tag) },
            { $0.withhold(release.digest, name: name, Withholding("it is not signed")) },
            { $0.withhold(release.digest, name: name, nil) }, { $0.remove(tag, name: name) },
            { $0.point(tag, at: release.digest, name: name) }, { $0.remove(release.digest, name: name) },
        ]
        for change in changes {
            change(&releases)
            #expect(seen.insert(releases.generation).inserted)
        }
    }

    @Test func aMachineWhosePlaceWasGivenOnWaitsAlthoughItsScriptIsKnown() async throws {
        try await TemporaryDirectory.with { directory in
            let text = Self.site.yaml.replacing(
                "cidr: 10.20.0.0/16", with: "cidr: 10.20.0.0/16\n    boot_budget: {machines: 1, megabytes: 1000}")
            let clock = SteadyTime()
            let namespace = BootNamespace(
                backend: try Self.backend(text, directory), pacer: BootPacer(clock: { clock.value }))
            #expect(try Self.ask(namespace, 1).contains("kernel --name linux"))
            #expect(try !Self.ask(namespace, 2).contains("kernel --name linux"))
            clock.value += AdmissionControl.patience - 10_000
            #expect(try !Self.ask(namespace, 2).contains("kernel --name linux"))
            clock.value += 20_000
            #expect(try Self.ask(namespace, 2).contains("kernel --name linux"))
            #expect(try !Self.ask(namespace, 1).contains("kernel --name linux"))
        }
    }

    /// A clock that tests set.
    private final class SteadyTime: Sendable {
        private let time = Mutex<Int64>(0)
        var value: Int64 {
            get { time.withLock { $0 } }
            set { time.withLock { $0 = newValue } }
        }
    }

    @Test(arguments: [
        ("", 1), ("no place", 1), ("TOKEN", 2), ("a TOKEN", 2), ("TOKEN b", 2), ("TOKENTOKEN", 3),
        ("TOKE TOKEN TOK", 2),
        ("TTOKEN", 2),
    ])
    func scriptsAreCutWhereTheTokenBelongs(_ text: String, _ count: Int) throws {
        let pieces = ScriptCache.pieces(text, at: "TOKEN")
        #expect(pieces.count == count)
        let entry = ScriptCache.Entry(
            request: BootRequest(), decision: BootDecision(host: nil, substrate: nil, outcome: .localDisk, reasons: []),
            pieces: pieces)
        for token in ["1", "another token"] {
            let filled = try #require(entry.bytes { token })
            #expect(String(decoding: filled, as: UTF8.self) == text.replacing("TOKEN", with: token))
        }
        #expect((entry.bytes { nil } == nil) == (count > 1), "no script with a hole")
    }

    @Test func askingInEverNewWordsDoesNotFillTheMemory() {
        let cache = ScriptCache()
        let basis = DecisionBasis(site: SHA256.digest(of: "".utf8), releases: 1, installations: 1)
        let decision = BootDecision(host: nil, substrate: nil, outcome: .localDisk, reasons: [])
        let entry = ScriptCache.Entry(request: BootRequest(), decision: decision, pieces: [[1]])
        for number in 0..<50_000 {
            cache.store(entry, ScriptCache.Key(target: "\(number)", address: nil), on: basis)
            if number % 1000 == 0 { #expect(cache.count <= ScriptCache.limit) }
        }
        let long = ScriptCache.Key(target: String(repeating: "x", count: 5000), address: nil)
        cache.store(entry, long, on: basis)
        #expect(cache.entry(long, on: basis) == nil)
    }
}
