import Glibc
import NIOCore
import Synchronization
import Testing

@testable import BootPlane

/// What happens to a connection before the event loops have it, if they ever do.
@Suite struct ConnectionFrontTests {
    @Test func whatIsKnownIsAnsweredAndNobodyElseHearsOfIt() async throws {
        let front = try Front()
        let client = try front.connect()
        for _ in 0..<3 {
            client.send("again?")
            #expect(client.receive(5) == "again")
        }
        client.send("last?")
        #expect(client.receive(4) == "last")
        #expect(client.isEnded())
        #expect(front.passed.isEmpty)
        front.stop()
    }

    @Test func whatIsNotKnownIsPassedOnWithWhatCame() async throws {
        let front = try Front()
        let client = try front.connect()
        client.send("again?")
        #expect(client.receive(5) == "again")
        client.send("who are you?")
        let passed = try await front.nextPassed()
        #expect(String(buffer: passed.received) == "who are you?")
        #expect(passed.unsent.readableBytes == 0 && !passed.ends)
        // What comes after it is for who has it now.
        client.send("again?")
        #expect(LoopbackClient(passed.descriptor).receive(6) == "again?")
        front.stop()
        client.send("and now?")
        #expect(LoopbackClient(passed.descriptor).receive(8) == "and now?", "it has an owner")
        close(passed.descriptor)
    }

    @Test(arguments: [0, 4])
    func whoIsSilentIsPassedOn(_ requests: Int) async throws {
        let front = try Front(silence: 1000)
        let client = try front.connect()
        for _ in 0..<requests {
            client.send("again?")
            #expect(client.receive(5) == "again")
        }
        let passed = try await front.nextPassed()
        #expect(passed.received.readableBytes == 0 && passed.unsent.readableBytes == 0 && !passed.ends)
        #expect(passed.isNew == (requests == 0))
        client.send("here I am")
        #expect(LoopbackClient(passed.descriptor).receive(9) == "here I am")
        close(passed.descriptor)
        front.stop()
    }

    @Test(arguments: [true, false])
    func whatAClientDoesNotTakeGoesWithTheConnection(_ keepsAlive: Bool) async throws {
        let front = try Front()
        let client = try front.connect()
        client.send(keepsAlive ? "long?" : "long and last?")
        let passed = try await front.nextPassed()
        #expect(passed.ends != keepsAlive)
        let rest = String(buffer: passed.unsent)
        #expect(rest.utf8.count > 0 && rest.utf8.count < Front.long.utf8.count)
        // What is left is its owner's.
        let first = client.receive(Front.long.utf8.count - rest.utf8.count)
        #expect(first + rest == Front.long)
        close(passed.descriptor)
        front.stop()
    }

    @Test func aClientHasNoMorePlacesThanItMay() async throws {
        let front = try Front(perClient: 2)
        let clients = try (0..<3).map { _ in try front.connect() }
        #expect(clients[2].isEnded())
        clients[0].end()
        // Its place is free as soon as its end was seen.
        var isIn = false
        while !isIn {
            let another = try front.connect()
            another.send("again?")
            isIn = another.receive(5) == "again"
            another.end()
        }
        clients[1].send("again?")
        #expect(clients[1].receive(5) == "again")
        front.stop()
    }

    /// Places are held by the connection, whoever has it.
    @Test func aPassedConnectionKeepsItsPlace() async throws {
        let front = try Front(perClient: 1)
        let client = try front.connect()
        client.send("who are you?")
        var passed: ConnectionFront.Passed? = try await front.nextPassed()
        #expect(try front.connect().isEnded())
        if let passed { close(passed.descriptor) }
        #expect(try front.connect().isEnded(), "the place is its owner's to give back")
        passed = nil
        let another = try front.connect()
        another.send("again?")
        #expect(another.receive(5) == "again")
        front.stop()
    }

    /// Another descriptor of it, as an event loop gives it back, which closes its own.
    @Test(arguments: [true, false])
    func whatIsGivenBackIsAnsweredAgain(_ asksMeanwhile: Bool) async throws {
        let front = try Front(perClient: 1)
        let client = try front.connect()
        for _ in 0..<3 {
            client.send("who are you?")
            let passed = try await front.nextPassed()
            LoopbackClient(passed.descriptor).send("me")
            #expect(client.receive(2) == "me")
            if asksMeanwhile { client.send("again?") }
            #expect(front.takeBack(dup(passed.descriptor), passed.place))
            close(passed.descriptor)
            if !asksMeanwhile { client.send("again?") }
            #expect(client.receive(5) == "again")
        }
        #expect(try front.connect().isEnded(), "its place is its own")
        front.stop()
    }

    @Test func whatIsGivenBackAndSilentIsPassedOn() async throws {
        let front = try Front(silence: 20)
        let client = try front.connect()
        let first = try await front.nextPassed()
        #expect(first.isNew && front.takeBack(first.descriptor, first.place))
        let second = try await front.nextPassed()
        #expect(!second.isNew && second.received.readableBytes == 0)
        client.send("here I am")
        #expect(LoopbackClient(second.descriptor).receive(9) == "here I am")
        close(second.descriptor)
        front.stop()
    }

    @Test func whatIsGivenBackEndsWithTheFrontAndAfterItStaysWhoseItIs() async throws {
        let front = try Front()
        let clients = try (0..<2).map { _ in try front.connect() }
        for client in clients { client.send("who are you?") }
        let passed = [try await front.nextPassed(), try await front.nextPassed()]
        #expect(front.takeBack(passed[0].descriptor, passed[0].place))
        front.stop()
        #expect(!front.takeBack(passed[1].descriptor, passed[1].place))
        for (number, client) in clients.enumerated() { client.send("still \(number)?") }
        let rest = LoopbackClient(passed[1].descriptor).receive(8)
        let ended = try #require(clients.indices.first { rest != "still \($0)?" })
        #expect(clients[ended].isEnded())
        close(passed[1].descriptor)
        #expect(clients[1 - ended].isEnded())
    }

    @Test func stoppingEndsTheListeningAndWhatIsBetweenAnswers() async throws {
        let front = try Front()
        let client = try front.connect()
        client.send("again?")
        #expect(client.receive(5) == "again")
        front.stop()
        #expect(client.isEnded())
        #expect(throws: (any Error).self) { try front.connect() }
    }
}

/// A front of its own listening socket, which knows a few answers.
private final class Front: Sendable {
    static let long = String(repeating: "0123456789", count: 1 << 20)

    private let socket: LoopbackListener
    private let front: ConnectionFront
    private let all: PassedConnections

    /// `silence`: as of the front; where a test is not about it, longer than any test.
    init(perClient: Int = 100, silence: Int64 = 3_600_000) throws {
        let (socket, all) = (try LoopbackListener(), PassedConnections())
        self.socket = socket
        self.all = all
        front = try ConnectionFront(
            socket.descriptor, limiter: ConnectionLimiter(perClient: perClient), silence: silence
        ) { request, _ in
            switch String(buffer: request) {
            case "again?": ConnectionFront.Answer(bytes: Array("again".utf8), keepsAlive: true)
            case "last?": ConnectionFront.Answer(bytes: Array("last".utf8), keepsAlive: false)
            case "long?": ConnectionFront.Answer(bytes: Array(Self.long.utf8), keepsAlive: true)
            case "long and last?": ConnectionFront.Answer(bytes: Array(Self.long.utf8), keepsAlive: false)
            default: nil
            }
        } pass: {
            all.add($0, $1)
        }
        front.start()
    }

    func takeBack(_ descriptor: Int32, _ place: ConnectionLimiter.Place) -> Bool { front.takeBack(descriptor, place) }

    var passed: [ConnectionFront.Passed] { all.all.withLock { $0 } }

    /// Takes the first one out.
    func nextPassed() async throws -> ConnectionFront.Passed {
        while true {
            if let passed = all.all.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return passed }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    func connect() throws -> LoopbackClient { try socket.connect() }
    func stop() { front.stop() }
}

private final class PassedConnections: Sendable {
    let all = Mutex<[ConnectionFront.Passed]>([])
    func add(_ passed: ConnectionFront.Passed, _: ConnectionFront) { all.withLock { $0.append(passed) } }
}
