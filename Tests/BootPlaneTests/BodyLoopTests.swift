import Dispatch
import Foundation
import Glibc
import NIOPosix
import Synchronization
import TFTP
import TestSupport
import Testing

@testable import BootPlane

/// What sends bodies, with real sockets and files.
@Suite struct BodyLoopTests {
    /// Some turns and a piece.
    private static let size = 3 * BodyLoop.turn + 12_345

    @Test(arguments: [
        0..<1, 4095..<4097, 0..<size, 1..<BodyLoop.turn, BodyLoop.turn..<2 * BodyLoop.turn, size - 1..<size,
    ])
    func everyByteOfAPieceArrives(_ range: Range<Int64>) async throws {
        try await Scene.with(size: Self.size) { scene in
            let body = try scene.send(range)
            #expect(body.client.receiveBytes(range.count) == scene.bytes(range))
            _ = try await body.ending().get()
            #expect(body.body.sent == Int64(range.count))
            #expect(scene.loop.count == 0)
            #expect(body.isLetGo, "its descriptor is closed, and the connection with its last")
        }
    }

    /// More than the sockets hold, of which one client takes nothing: whoever takes it has it.
    @Test func aClientThatTakesNothingHoldsNobodyUp() async throws {
        try await Scene.with(size: 8 << 20) { scene in
            let all: Range<Int64> = 0..<8 << 20
            let slow = try scene.send(all)
            for _ in 0..<3 {
                let other = try scene.send(all)
                #expect(other.client.receiveBytes(all.count) == scene.bytes(all))
                _ = try await other.ending().get()
            }
            #expect(!slow.hasEnded)
            #expect(scene.loop.count == 1)
            #expect(slow.client.receiveBytes(all.count) == scene.bytes(all))
            _ = try await slow.ending().get()
        }
    }

    @Test func thoseThatComeTogetherEachHaveTheirs() async throws {
        try await Scene.with(size: Self.size) { scene in
            let ranges = (0..<40).map { Int64($0) * 1000..<Self.size - Int64($0) * 7 }
            let bodies = try ranges.map { try scene.send($0) }
            // Backwards: none of them may need those before it.
            for (range, body) in zip(ranges, bodies).reversed() {
                #expect(body.client.receiveBytes(range.count) == scene.bytes(range))
                _ = try await body.ending().get()
            }
        }
    }

    /// A disk that answers when the test says so.
    @Test func whatIsNotInMemoryIsWaitedForByNobodyElse() async throws {
        try await Scene.with(size: Self.size, memory: .has(from: 1 << 20)) { scene in
            let disk = DispatchSemaphore(value: 0)
            scene.readers.submit { _ in disk.wait() }
            let cold = try scene.send(0..<Self.size)
            let warm = try scene.send(1 << 20..<Self.size)
            #expect(warm.client.receiveBytes(Int(Self.size) - 1 << 20) == scene.bytes(1 << 20..<Self.size))
            _ = try await warm.ending().get()
            #expect(cold.body.sent == 0 && !cold.client.hasSomething)
            disk.signal()
            #expect(cold.client.receiveBytes(Int(Self.size)) == scene.bytes(0..<Self.size))
            _ = try await cold.ending().get()
        }
    }

    /// What is never found in memory, or pushed out at once, is sent all the same.
    @Test func aFileThatNeverStaysInMemoryArrives() async throws {
        try await Scene.with(size: Self.size, memory: .hasNothing) { scene in
            let body = try scene.send(0..<Self.size)
            #expect(body.client.receiveBytes(Int(Self.size)) == scene.bytes(0..<Self.size))
            _ = try await body.ending().get()
        }
    }

    @Test(arguments: [0, 1, 100_000])
    func aFileThatBecameShorterEndsWhereItDoes(_ size: Int64) async throws {
        try await Scene.with(size: Self.size) { scene in
            #expect(truncate(scene.path, off_t(size)) == 0)
            let body = try scene.send(0..<Self.size)
            #expect(body.client.receiveBytes(Int(Self.size)) == scene.bytes(0..<size))
            let failure = await #expect(throws: Body.Interrupted.self) { try await body.ending().get() }
            #expect(failure?.sent == size && failure?.reason == "the file is shorter than it was")
        }
    }

    @Test func aClientThatIsGoneEndsItsBody() async throws {
        try await Scene.with(size: 32 << 20) { scene in
            let body = try scene.send(0..<32 << 20)
            #expect(body.client.receiveBytes(1).count == 1)
            body.client.end()
            let failure = await #expect(throws: Body.Interrupted.self) { try await body.ending().get() }
            #expect(failure.map { $0.sent > 0 && $0.sent < 32 << 20 } == true)
            #expect(scene.loop.count == 0)
        }
    }

    @Test func aCancelledBodyEndsAndIsLetGo() async throws {
        try await Scene.with(size: 32 << 20) { scene in
            let body = try scene.send(0..<32 << 20)
            scene.loop.cancel(body.body)
            await #expect(throws: Body.Interrupted.self) { try await body.ending().get() }
            // Once more, and late: whoever has the number of its socket now is not meant.
            let other = try scene.send(0..<1000)
            scene.loop.cancel(body.body)
            #expect(other.client.receiveBytes(1000) == scene.bytes(0..<1000))
            _ = try await other.ending().get()
            _ = body.client.receiveBytes(32 << 20)
            #expect(body.isLetGo)
        }
    }

    @Test func stoppingEndsWhatIsUnderWayAndTakesNothingMore() async throws {
        try await Scene.with(size: 32 << 20) { scene in
            let bodies = try (0..<3).map { _ in try scene.send(0..<32 << 20) }
            scene.loop.stop()
            for body in bodies {
                await #expect(throws: Body.Interrupted.self) { try await body.ending().get() }
                _ = body.client.receiveBytes(32 << 20)
                #expect(body.isLetGo)
            }
            #expect(throws: Scene.Refused.self) { try scene.send(0..<1) }
            #expect(scene.loop.count == 0)
        }
    }
}

/// One loop, one file, and clients.
private final class Scene: Sendable {
    struct Refused: Error {}

    let loop: BodyLoop
    let path: String
    let readers: NIOThreadPool
    private let file: OpenFile
    private let content: [UInt8]
    private let listener: LoopbackListener

    /// What is in memory of the file.
    enum Memory {
        case asItIs, hasNothing
        case has(from: Int64)
    }

    private init(_ directory: URL, _ size: Int64, _ readers: NIOThreadPool, _ memory: Memory) throws {
        content = (0..<Int(size)).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 11) }
        let url = directory.appending(path: "file")
        try Data(content).write(to: url)
        path = url.path
        file = try #require(OpenFile(path: url.path))
        self.readers = readers
        listener = try LoopbackListener()
        loop =
            switch memory {
            case .asItIs: try BodyLoop(readers: readers)
            case .hasNothing: try BodyLoop(readers: readers) { _, _, _ in false }
            case .has(let start): try BodyLoop(readers: readers) { _, offset, _ in offset >= start }
            }
    }

    static func with(size: Int64, memory: Memory = .asItIs, _ body: (Scene) async throws -> Void) async throws {
        try await TemporaryDirectory.with { directory in
            let readers = NIOThreadPool(numberOfThreads: 1)
            readers.start()
            let scene = try Scene(directory, size, readers, memory)
            let running = DispatchGroup()
            scene.loop.start(in: running)
            try await body(scene)
            scene.loop.stop()
            await withCheckedContinuation { done in running.notify(queue: .global()) { done.resume() } }
            try await readers.shutdownGracefully()
        }
    }

    func bytes(_ range: Range<Int64>) -> [UInt8] { Array(content[Int(range.lowerBound)..<Int(range.upperBound)]) }

    /// Sends a piece to a client of its own.
    func send(_ range: Range<Int64>) throws -> Sent {
        let client = try listener.connect()
        let socket = listener.accept()
        let sent = Sent(client: client, socket: socket, file: file, range: range)
        guard loop.send(sent.body) else {
            close(socket)
            throw Refused()
        }
        return sent
    }
}

/// A body and its client.
private struct Sent {
    private final class Ending: Sendable {
        let result = Mutex<Result<Void, Body.Interrupted>?>(nil)
    }

    let client: LoopbackClient
    let body: Body
    private let ended: Ending

    init(client: LoopbackClient, socket: Int32, file: OpenFile, range: Range<Int64>) {
        let ended = Ending()
        self.client = client
        self.ended = ended
        body = Body(socket: socket, file: file, range: range) { result in
            ended.result.withLock {
                #expect($0 == nil, "it ends once")
                $0 = result
            }
        }
    }

    var hasEnded: Bool { ended.result.withLock { $0 != nil } }

    /// How it ended, once it has.
    func ending() async throws -> Result<Void, Body.Interrupted> {
        while true {
            if let result = ended.result.withLock({ $0 }) { return result }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Nobody has the other end of the connection any more.
    var isLetGo: Bool { client.isEnded() }
}
