import Dispatch
import Glibc
import Synchronization
import Testing

@testable import TFTP

/// Who is answered first where many have said something.
@Suite struct ReadyTransfersTests {
    private static func transfers(_ count: Int) throws -> [TFTPTransfer] {
        let reads = try ColdReads(ColdReads.Disk())
        let client = try #require(DatagramEndpoint(host: "127.0.0.1", port: 9))
        return (0..<count).map { number in
            TFTPTransfer(
                descriptor: socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0),
                request: ReadRequest(fileName: "one", mode: "octet", options: []), path: "one",
                answer: TFTPAnswer(.bytes([42])), remote: client, number: UInt64(number), coldReads: reads, now: 0)
        }
    }

    private static func all(_ ready: inout ReadyTransfers, of transfers: [TFTPTransfer]) -> [UInt64] {
        var numbers: [UInt64] = []
        while let next = ready.popFirst({ transfers[Int($0.number)] }) { numbers.append(next.number) }
        return numbers
    }

    @Test func whoWasAskedForFirstIsAnsweredFirst() throws {
        let transfers = try Self.transfers(200)
        var ready = ReadyTransfers()
        var generator = SeededGenerator(seed: 7)
        for transfer in transfers.shuffled(using: &generator) { ready.append(transfer, now: 0) }
        #expect(Self.all(&ready, of: transfers) == Array(0..<200))
        #expect(ready.isEmpty)
    }

    @Test func whoSaysMoreIsThereOnce() throws {
        let transfers = try Self.transfers(1)
        var ready = ReadyTransfers()
        for _ in 0..<2 {
            for now in 0..<3 { ready.append(transfers[0], now: Int64(now)) }
            #expect(Self.all(&ready, of: transfers) == [0])
        }
    }

    @Test func whoHasEndedIsNotAnswered() throws {
        let transfers = try Self.transfers(3)
        var ready = ReadyTransfers()
        for transfer in transfers { ready.append(transfer, now: 0) }
        #expect(ready.popFirst { $0.number == 1 ? transfers[1] : nil } === transfers[1])
        #expect(ready.popFirst { _ in nil } == nil)
        #expect(ready.isEmpty)
    }

    @Test func whoWaitsTooLongIsAnsweredBeforeItsTurnAndOnce() throws {
        let transfers = try Self.transfers(2)
        var ready = ReadyTransfers()
        // What is said again makes nobody wait anew.
        for now in [100, 130] as [Int64] { ready.append(transfers[1], now: now) }
        #expect(!ReadyTransfers.takeOverdue(transfers[0], now: 1000), "it has said nothing")
        #expect(!ReadyTransfers.takeOverdue(transfers[1], now: 99 + ReadyTransfers.patience))
        #expect(ReadyTransfers.takeOverdue(transfers[1], now: 100 + ReadyTransfers.patience))
        #expect(!ReadyTransfers.takeOverdue(transfers[1], now: 1000))
        #expect(Self.all(&ready, of: transfers).isEmpty)
        ready.append(transfers[1], now: 200)
        #expect(ReadyTransfers.takeOverdue(transfers[1], now: 300))
        // Still in the queue, and ready again.
        ready.append(transfers[1], now: 300)
        #expect(Self.all(&ready, of: transfers) == [1])
    }

    /// A server that is held until all has come that it shall find.
    private struct Held {
        let service: FileTable
        private let gate = DispatchSemaphore(value: 0)
        private let isHeld = DispatchSemaphore(value: 0)

        init() {
            service = FileTable(["/one": .bytes([42]), "/image": .bytes([UInt8](repeating: 7, count: 5000))]) {
                [gate, isHeld] path in
                guard path == "/gate" else { return }
                isHeld.signal()
                gate.wait()
            }
        }

        func during(port: UInt16, _ body: () throws -> Void) throws {
            try ClientSocket(address: "127.0.0.2").send(ReferenceClient.request(path: "gate"), port: port)
            isHeld.wait()
            defer { gate.signal() }
            try body()
        }
    }

    @Test func aServerWithMuchToAnswerBeginsWithTheOldest() async throws {
        let held = Held()
        try await RunningServer.with(held.service) { port in
            var clients: [(socket: ClientSocket, host: String, port: UInt16)] = []
            for number in 0..<100 {
                let host = "127.0.1.\(number + 1)"
                let socket = try ClientSocket(address: host)
                try socket.send(ReferenceClient.request(path: "one"), port: port)
                clients.append((socket, host, try #require(socket.receive()).port))
            }
            try held.during(port: port) {
                for client in clients.reversed() {
                    try client.socket.send(ReferenceClient.acknowledgement(1), port: client.port)
                }
            }
            #expect(await held.service.next(100).map(\.client) == clients.map(\.host))
        }
    }

    /// Lock-step on a short way does not look for a second packet: what is behind an answer is found all the same.
    @Test func whatIsBehindAnAnswerIsRead() async throws {
        let held = Held()
        try await RunningServer.with(held.service) { port in
            let client = try ClientSocket()
            try client.send(ReferenceClient.request(path: "image"), port: port)
            let data = try #require(client.receive())
            try held.during(port: port) {
                try client.send(ReferenceClient.acknowledgement(1), port: data.port)
                try client.send(ReferenceClient.error(0, "enough"), port: data.port)
            }
            #expect(await held.service.next().first?.outcome == .aborted(code: 0, message: "enough"))
        }
    }

    /// Each packet is told of once: none may be left that nothing tells of any more.
    @Test func answersThatCameTogetherAreAllTaken() async throws {
        let held = Held()
        try await RunningServer.with(held.service) { port in
            let client = try ClientSocket()
            try client.send(ReferenceClient.request(path: "image"), port: port)
            var data = try #require(client.receive())
            for block in Int64(1)...10 {
                #expect(data.bytes[..<4] == [0, 3, 0, UInt8(block)])
                try held.during(port: port) {
                    // Old ones before the one that counts, and it twice.
                    for number in [0, block - 1, block, block] as [Int64] {
                        try client.send(ReferenceClient.acknowledgement(number), port: data.port)
                    }
                }
                if block < 10 { data = try #require(client.receive()) }
            }
            let report = try #require(await held.service.next().first)
            #expect(report.outcome == .completed)
            #expect(report.repeatedBlocks == 0)
        }
    }
}
