import Foundation
import TFTP
import Testing

extension ServerTests {
    /// Requests that repeat, end early or never end, and what is left afterwards.
    @Suite struct Sessions {
        @Test func aSizeProbeIsReportedAsOne() async throws {
            let service = ServerTests.service
            try await RunningServer.with(service) { port in
                let probe = try ClientSocket()
                let options = [("tsize", "0"), ("blksize", "1468"), ("windowsize", "4")]
                try probe.send(ReferenceClient.request(path: "image", options: options), port: port)
                let acknowledgement = try #require(probe.receive())
                #expect(acknowledgement.bytes == [0, 6] + Array("tsize\0100000\0blksize\01468\0windowsize\04\0".utf8))
                try probe.send(ReferenceClient.error(8, "User aborted the transfer"), port: acknowledgement.port)
                #expect(await service.next().first?.outcome == .sizeProbe)
                let client = try SocketTransfers.fetch("image", [("blksize", "1468"), ("windowsize", "4")], port: port)
                #expect(client?.delivered(ServerTests.image) == true)
                #expect(await service.next().first?.outcome == .completed)
            }
        }

        @Test func aRepeatedRequestIsAnsweredByOneTransfer() async throws {
            let service = ServerTests.service
            try await RunningServer.with(service) { port in
                let socket = try ClientSocket()
                for _ in 0..<3 { try socket.send(ReferenceClient.request(path: "one"), port: port) }
                let data = try #require(socket.receive())
                try socket.send(ReferenceClient.acknowledgement(1), port: data.port)
                #expect(await service.next().first?.outcome == .completed)
            }
            #expect(service.ended.count == 1)
        }

        @Test func anotherFileFromTheSamePortEndsTheFirstTransfer() async throws {
            let service = ServerTests.service
            try await RunningServer.with(service) { port in
                let socket = try ClientSocket()
                try socket.send(ReferenceClient.request(path: "image"), port: port)
                let first = try #require(socket.receive())
                try socket.send(ReferenceClient.request(path: "one"), port: port)
                let second = try #require(socket.receive())
                #expect(second.bytes == [0, 3, 0, 1, 42] && second.port != first.port)
                guard case .aborted = await service.next().first?.outcome else {
                    Issue.record("the first transfer goes on")
                    return
                }
            }
        }

        @Test func aClientThatClosedItsPortEndsTheTransfer() async throws {
            let service = ServerTests.service
            try await RunningServer.with(service) { port in
                try {
                    let socket = try ClientSocket()
                    try socket.send(ReferenceClient.request(path: "image", options: [("timeout", "1")]), port: port)
                    _ = socket.receive()
                }()
                // The next repetition meets a closed port.
                guard case .aborted(_, let message) = await service.next().first?.outcome else {
                    Issue.record("not aborted")
                    return
                }
                #expect(message == "the client's port is closed")
            }
        }

        @Test func noDescriptorIsLeft() async throws {
            func round() async throws {
                let service = ServerTests.service
                try await RunningServer.with(service) { port in
                    _ = try SocketTransfers.run(Array(repeating: ("image", []), count: 30), port: port)
                    _ = try SocketTransfers.fetch("absent", port: port)
                    _ = await service.next(30)
                    // Transfers that are under way when the server stops.
                    let socket = try ClientSocket()
                    try socket.send(ReferenceClient.request(path: "image"), port: port)
                    _ = socket.receive()
                }
            }
            // The first round also opens what the runtime keeps.
            try await round()
            let before = try Descriptors.list()
            for _ in 0..<3 { try await round() }
            try await Descriptors.waitForNoMore(than: before)
        }

        @Test func aServerThatCannotBindLeavesNoDescriptor() async throws {
            let free = try #require(DatagramEndpoint(host: "127.0.0.1", port: 0))
            let first = try TFTPServer(listen: [free], service: ServerTests.service)
            let taken = try #require(first.endpoints.first)
            let before = try Descriptors.list()
            for _ in 0..<3 {
                #expect(throws: TFTPError.self) {
                    _ = try TFTPServer(listen: [free, taken], service: ServerTests.service)
                }
            }
            try await Descriptors.waitForNoMore(than: before)
        }

        @Test func anAddressThatIsTakenIsNamed() throws {
            let free = try #require(DatagramEndpoint(host: "127.0.0.1", port: 0))
            let first = try TFTPServer(listen: [free], service: ServerTests.service)
            let taken = try #require(first.endpoints.first)
            let error = #expect(throws: TFTPError.self) {
                _ = try TFTPServer(listen: [taken], service: ServerTests.service)
            }
            #expect(error?.message.contains("127.0.0.1 port \(taken.port)") == true)
        }

        @Test func aStoppedServerEndsWhatIsUnderWay() async throws {
            let service = ServerTests.service
            let free = try #require(DatagramEndpoint(host: "127.0.0.1", port: 0))
            let server = try TFTPServer(listen: [free], service: service)
            let port = try #require(server.endpoints.first).port
            async let running: Void = server.run()
            let socket = try ClientSocket()
            try socket.send(ReferenceClient.request(path: "image"), port: port)
            var data = try #require(socket.receive())
            server.stop()
            var bytes: [UInt8] = []
            while true {
                bytes += data.bytes.dropFirst(4)
                let block = UInt16(data.bytes[2]) << 8 | UInt16(data.bytes[3])
                try socket.send(ReferenceClient.acknowledgement(Int64(block)), port: data.port)
                if data.bytes.count < 516 { break }
                data = try #require(socket.receive())
            }
            await running
            #expect(bytes == ServerTests.image)
            #expect(service.ended.first?.outcome == .completed)
        }

        @Test func stopsBeforeAndDuringItsRun() async throws {
            let free = try #require(DatagramEndpoint(host: "127.0.0.1", port: 0))
            let server = try TFTPServer(listen: [free], service: ServerTests.service)
            server.stop()
            server.stop()
            await server.run()
        }
    }
}

/// The process's open sockets, event and poll descriptors.
enum Descriptors {
    static func list() throws -> [String: Int] {
        let folder = "/proc/self/fd"
        let targets = try FileManager.default.contentsOfDirectory(atPath: folder)
            .compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
        let kinds = ["socket", "anon_inode:[eventfd]", "anon_inode:[eventpoll]"]
        return Dictionary(uniqueKeysWithValues: kinds.map { kind in (kind, targets.count { $0.hasPrefix(kind) }) })
    }

    /// Returns as soon as there are no more of any kind than before. The thread that served lets go of its loop a moment
    /// after `run` has returned; what never goes ends in the suite's time limit.
    static func waitForNoMore(than before: [String: Int]) async throws {
        while try list().contains(where: { $0.value > before[$0.key, default: 0] }) {
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
