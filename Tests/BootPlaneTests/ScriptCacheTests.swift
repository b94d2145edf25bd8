import Artifacts
import Boot
import Dispatch
import Foundation
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Site
import Synchronization
import TFTP
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

    private static func request(_ number: Int, _ more: String = "") -> String {
        EmbeddedConnection.request("/ipxe/script?mac=52-54-00-20-99-2\(number)", "GET", more)
    }

    private static func known(_ namespace: BootNamespace, _ request: String, from number: Int = 1) -> KnownAnswer? {
        namespace.knownAnswer(ByteBuffer(string: request), at: IPv4Address("10.20.99.2\(number)"))?.answer
    }

    private static func ask(_ namespace: BootNamespace, _ number: Int) throws -> String {
        let connection = try EmbeddedConnection(namespace, from: "10.20.99.2\(number)")
        try connection.send(request(number))
        return try connection.answers()
    }

    @Test func theSecondQuestionIsNotDecidedAgainAndHasATokenOfItsOwn() async throws {
        try await TemporaryDirectory.with { directory in
            let backend = try Self.backend(Self.site.yaml, directory)
            let namespace = BootNamespace(backend: backend)
            #expect(Self.known(namespace, Self.request(1)) == nil)
            let first = try Self.ask(namespace, 1)
            #expect(first.contains("kernel --name linux") && first.contains("/hosts/hv01.token/answer"))
            let known = try #require(Self.known(namespace, Self.request(1)))
            guard case .script(let request, let decision) = known.event else {
                Issue.record("another event: \(known.event)")
                return
            }
            #expect(request.mac == MACAddress("52:54:00:20:99:21"))
            #expect(known.host == "hv01" && decision.host == "hv01")
            #expect(try Self.ask(namespace, 1) == first)
            #expect(backend.issuedTokens.withLock { $0 } == 3, "one was asked for here, and two were sent")
            let events = backend.events.withLock { $0 }
            #expect(events.count == 2 && Set(events).count == 1, "it is noted as any other")
            #expect(Self.known(namespace, Self.request(1), from: 2) == nil, "another client")
            #expect(Self.known(namespace, Self.request(1, "X: y\r\n")) == nil)
        }
    }

    /// Over real sockets: the first is answered by an event loop, the second before one has the connection, the third by one again,
    /// in two pieces.
    @Test func whoeverHasTheConnectionAnswersTheSame() async throws {
        try await TemporaryDirectory.with { directory in
            let backend = try Self.backend(Self.site.yaml, directory)
            let namespace = BootNamespace(backend: backend)
            let answer = try Self.ask(namespace, 1)
            try await BootListener.with(namespace) { listener in
                let first = try LoopbackClient(port: listener.port)
                let second = try LoopbackClient(port: listener.port)
                first.send(Self.request(1))
                #expect(first.receive(answer.utf8.count) == answer)
                second.send(Self.request(1))
                #expect(second.receive(answer.utf8.count) == answer)
                let whole = Self.request(1, "X: y\r\n")
                second.send(String(whole.prefix(20)))
                second.send(String(whole.dropFirst(20)))
                #expect(second.receive(answer.utf8.count) == answer)
                first.send(EmbeddedConnection.request("/nothing", "GET", "Connection: close\r\n"))
                #expect(first.receive(1 << 20).hasPrefix("HTTP/1.1 404"))
                let events = backend.events.withLock { $0 }
                #expect(events.count == 5 && Set(events[1..<4]).count == 1, "the 404 is the last")
                try await listener.channel.close()
                #expect(throws: LoopbackListener.Failure.self) { try LoopbackClient(port: listener.port) }
                first.end()
                second.end()
            }
        }
    }

    /// Who asks on one connection what nobody asked before, and then what is known.
    @Test func whoAsksWhatIsKnownNeedsNoLoopForIt() async throws {
        try await TemporaryDirectory.with { directory in
            let namespace = BootNamespace(backend: try Self.backend(Self.site.yaml, directory))
            let known = try EmbeddedConnection(namespace, from: "127.0.0.1")
            try known.send(Self.request(1))
            let length = try known.answers().utf8.count
            try await BootListener.with(namespace) { listener in
                let client = try LoopbackClient(port: listener.port)
                for number in 0..<5 {
                    // The first is read by a loop, and so is the second, whose connection is there; then it is where it began.
                    for words in [Self.request(1, "X: \(number)\r\n"), Self.request(1)] {
                        client.send(words)
                        #expect(client.receive(length).hasPrefix("HTTP/1.1 200 OK"))
                    }
                    let held = DispatchSemaphore(value: 0)
                    listener.questions.execute { held.wait() }
                    for _ in 0..<3 {
                        client.send(Self.request(1))
                        #expect(client.receive(length).hasPrefix("HTTP/1.1 200 OK"))
                    }
                    held.signal()
                }
                client.end()
            }
        }
    }

    /// What is known is given to the same words only, and these are exactly one request.
    @Test(arguments: [
        ("", "Range: bytes=0-3\r\n"), ("", "Upgrade: websocket\r\nConnection: upgrade\r\n"), ("HEAD", ""),
        ("", "Content-Length: 4\r\n"),
    ])
    func whatIsNoPlainQuestionIsNotKept(_ method: String, _ more: String) async throws {
        try await TemporaryDirectory.with { directory in
            let namespace = BootNamespace(backend: try Self.backend(Self.site.yaml, directory))
            let text = Self.request(1, more).replacing("GET", with: method.isEmpty ? "GET" : method)
            let connection = try EmbeddedConnection(namespace)
            try connection.send(text)
            #expect(Self.known(namespace, text) == nil)
        }
    }

    @Test(arguments: ["", "\n", "\r\n", "GET", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
    func aQuestionWithMoreAroundItIsNotKept(_ more: String) async throws {
        try await TemporaryDirectory.with { directory in
            let namespace = BootNamespace(backend: try Self.backend(Self.site.yaml, directory))
            for text in [Self.request(1) + more, more + Self.request(1)] where !more.isEmpty {
                let connection = try EmbeddedConnection(namespace)
                try? connection.send(text)
                #expect(Self.known(namespace, text) == nil)
                #expect(Self.known(namespace, Self.request(1)) == nil)
            }
            // Cut in two, it is not what came in one piece.
            let connection = try EmbeddedConnection(namespace)
            try connection.send(Self.request(1).prefix(30))
            try connection.send(Self.request(1).dropFirst(30))
            #expect(try connection.answers().contains("kernel --name linux"))
            #expect(Self.known(namespace, Self.request(1)) == nil)
        }
    }

    /// Inside a body the words of a question are none.
    @Test func aKnownQuestionWithinABodyIsNotAnswered() async throws {
        try await TemporaryDirectory.with { directory in
            let namespace = BootNamespace(backend: try Self.backend(Self.site.yaml, directory))
            _ = try Self.ask(namespace, 1)
            #expect(Self.known(namespace, Self.request(1)) != nil)
            let connection = try EmbeddedConnection(namespace)
            let length = Self.request(1).utf8.count
            try connection.send(EmbeddedConnection.request("/nothing", "POST", "Content-Length: \(length)\r\n"))
            try connection.send(Self.request(1))
            #expect(EmbeddedConnection.statuses(try connection.answers()) == ["405"])
            // After it the connection is where it was.
            try connection.send(Self.request(1))
            #expect(EmbeddedConnection.statuses(try connection.answers()) == ["200"])
        }
    }

    /// The answer to what came before must not be taken for the answer to what came last.
    @Test func whatWaitedIsNotTakenForWhatCameAfterIt() async throws {
        try await TemporaryDirectory.with { directory in
            let backend = try Self.backend(Self.site.yaml, directory)
            let namespace = BootNamespace(backend: backend)
            let connection = try EmbeddedConnection(namespace)
            backend.delays.withLock { $0 = 1 }
            try connection.send(EmbeddedConnection.request("/loaders/grub-x64.efi"))
            let second = Self.request(1).replacing("99-21", with: "99-22")
            try connection.send(Self.request(1))
            try connection.send(second)
            connection.channel.embeddedEventLoop.advanceTime(by: .seconds(5))
            #expect(EmbeddedConnection.statuses(try connection.answers()) == ["200", "200", "200"])
            for text in [Self.request(1), second] { #expect(Self.known(namespace, text) == nil) }
        }
    }

    @Test(arguments: ["", "Connection: close\r\n"])
    func aKnownAnswerLeavesTheConnectionAsTheClientWants(_ more: String) async throws {
        try await TemporaryDirectory.with { directory in
            let namespace = BootNamespace(backend: try Self.backend(Self.site.yaml, directory))
            var answers: [String] = []
            for _ in 0..<2 {
                let connection = try EmbeddedConnection(namespace)
                try connection.send(Self.request(1, more))
                answers.append(try connection.answers())
                #expect(connection.channel.isActive == more.isEmpty)
            }
            // The order of a head's lines says nothing (RFC 9110 section 5.3).
            #expect(Set(answers[0].split(separator: "\r\n")) == Set(answers[1].split(separator: "\r\n")))
            #expect(Self.known(namespace, Self.request(1, more)) != nil)
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

    /// Everything is judged anew each minute, and then no script should have to be decided again.
    @Test func theSameJudgementIsNoOtherBasis() throws {
        var releases = ReleaseIndex()
        let name = try ArtifactName("os")
        let release = try Release(digest: SHA256.digest(of: "m".utf8), files: [:])
        releases.insert(release, name: name, tag: try Tag("1"))
        for verdict in [nil, Withholding("it is not signed")] {
            releases.withhold(release.digest, name: name, verdict)
            let before = releases.generation
            releases.withhold(release.digest, name: name, verdict)
            releases.withhold(SHA256.digest(of: "another".utf8), name: name, verdict)
            #expect(releases.generation == before)
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

    /// Who asks by TFTP for what it should wait with is not answered, and asks again.
    @Test func overTFTPAMachineWaitsForItsTurnToo() async throws {
        try await TemporaryDirectory.with { directory in
            let text = Self.site.yaml.replacing(
                "cidr: 10.20.0.0/16", with: "cidr: 10.20.0.0/16\n    boot_budget: {machines: 1, megabytes: 1000}")
            let backend = try Self.backend(text, directory)
            try Data(count: 2 << 20).write(
                to: directory.appending(path: SHA256.digest(of: "linux".utf8).hex))
            let namespace = BootNamespace(backend: backend, pacer: BootPacer(clock: { 0 }))
            let service = BootTFTPService(namespace: namespace, logger: Logger(label: "test"))
            #expect(try Self.ask(namespace, 1).contains("kernel --name linux"))
            #expect(try !Self.ask(namespace, 2).contains("kernel --name linux"))
            #expect(namespace.pacer.queues == [.init(substrate: "dvntm", loading: 1, waiting: 1)])
            func isServed(_ client: String) -> Bool {
                if case .file = service.reply(path: "os:1/linux", client: client) { true } else { false }
            }
            #expect(isServed("10.20.99.21") && !isServed("10.20.99.22"))
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
        let pieces = ScriptPieces(text, at: "TOKEN")
        #expect(pieces.count == count)
        for token in ["1", "another token"] {
            let filled = try #require(pieces.bytes { token })
            #expect(String(decoding: filled, as: UTF8.self) == text.replacing("TOKEN", with: token))
        }
        #expect((pieces.bytes { nil } == nil) == (count > 1), "no script with a hole")
    }

    private static let basis = DecisionBasis(site: SHA256.digest(of: "".utf8), releases: 1, installations: 1)
    private static let answer = KnownAnswer(
        script: DecidedScript(host: "hv01", load: nil, basis: basis, pieces: ScriptPieces("a")), event: .stage1,
        head: [], keepsAlive: true)

    @Test func askingInEverNewWordsDoesNotFillTheMemory() {
        let cache = ScriptCache()
        for number in 0..<50_000 {
            let request = ByteBuffer(string: "\(number)")
            cache.store(Self.answer, ScriptCache.Key(request: request, address: nil), on: Self.basis)
            if number % 1000 == 0 { #expect(cache.count <= ScriptCache.limit) }
        }
        let newest = ScriptCache.Key(request: ByteBuffer(string: "49999"), address: nil)
        #expect(cache.answer(newest, on: Self.basis) != nil)
        let long = ScriptCache.Key(request: ByteBuffer(repeating: 65, count: 5000), address: nil)
        cache.store(Self.answer, long, on: Self.basis)
        #expect(cache.answer(long, on: Self.basis) == nil)
    }

    /// A rack that starts over and over, beside somebody who asks in ever new words.
    @Test func whatIsAskedForIsNotForgottenForWhatIsNot() {
        let cache = ScriptCache()
        func key(_ text: String) -> ScriptCache.Key {
            ScriptCache.Key(request: ByteBuffer(string: text), address: nil)
        }
        let machines = (0..<500).map { key("machine \($0)") }
        for machine in machines { cache.store(Self.answer, machine, on: Self.basis) }
        for number in 0..<100_000 {
            cache.store(Self.answer, key("\(number)"), on: Self.basis)
            let isKnown = cache.answer(machines[number % machines.count], on: Self.basis) != nil
            guard isKnown else {
                Issue.record("it was forgotten after \(number)")
                return
            }
        }
        #expect(cache.count <= ScriptCache.limit)
        #expect(cache.answer(key("0"), on: Self.basis) == nil)
    }
}
