import TFTP
import Testing

extension ServerTests {
    /// Where the server's packets come from.
    @Suite struct Ports {
        /// The ports that the first packet of each transfer came from. No transfer is answered, so all are open at once.
        private static func firstPorts(_ count: Int, port: UInt16) throws -> [UInt16?] {
            let sockets = try (0..<count).map { _ in try ClientSocket() }
            for socket in sockets { try socket.send(ReferenceClient(path: "image").start().bytes, port: port) }
            return sockets.map { $0.receive()?.port }
        }

        @Test func eachTransferHasAPortOfTheRange() async throws {
            try await RunningServer.with(ServerTests.service, ports: .range(31_400...31_419)) { port in
                let ports = try Self.firstPorts(10, port: port).compactMap(\.self)
                #expect(Set(ports).count == 10 && ports.allSatisfy { (31_400...31_419).contains($0) })
            }
        }

        @Test func withoutAFreePortARequestIsRefusedAndLaterServed() async throws {
            let service = ServerTests.service
            try await RunningServer.with(service, ports: .range(31_430...31_431)) { port in
                let stuck = try (0..<2).map { _ in try ClientSocket() }
                for socket in stuck { try socket.send(ReferenceClient(path: "image").start().bytes, port: port) }
                let places = stuck.map { $0.receive()?.port }
                #expect(Set(places.compactMap(\.self)) == [31_430, 31_431])
                let refused = try SocketTransfers.fetch("image", port: port)
                #expect(refused?.state == .failed("error 0: the server is out of resources, try again"))
                // An ERROR frees the port at once.
                try stuck[0].send([0, 5, 0, 0, 0], port: try #require(places[0]))
                _ = await service.next()
                // A child of this process that another test starts may hold the closed socket for a moment more.
                var client = try SocketTransfers.fetch("image", port: port)
                for _ in 0..<100 where client?.delivered(ServerTests.image) != true {
                    try await Task.sleep(for: .milliseconds(20))
                    client = try SocketTransfers.fetch("image", port: port)
                }
                #expect(client?.delivered(ServerTests.image) == true)
            }
        }

        @Test(arguments: ["127.0.0.1", "0.0.0.0"])
        func oneServerPortCarriesManyTransfers(_ address: String) async throws {
            let service = ServerTests.service
            try await RunningServer.with(service, address: address, ports: .single) { port in
                #expect(try Self.firstPorts(20, port: port) == Array(repeating: port, count: 20))
                let requests = (0..<100).map { number in
                    (path: "image", options: number % 2 == 0 ? [("windowsize", "8")] : [("blksize", "1468")])
                }
                let clients = try SocketTransfers.run(requests, port: port)
                #expect(clients.count { $0.delivered(ServerTests.image) } == 100)
                // Another request from the same port while nothing is under way: the listener has it again.
                #expect(try SocketTransfers.fetch("one", port: port)?.delivered([42]) == true)
            }
        }

        /// Firmware asks for one file after another from one port, and gives up the one before without a word.
        @Test(arguments: [TransferPorts.single, .any])
        func anotherRequestFromTheSamePortIsAnswered(_ ports: TransferPorts) async throws {
            let service = ServerTests.service
            try await RunningServer.with(service, ports: ports) { port in
                let socket = try ClientSocket()
                try socket.send(ReferenceClient(path: "image").start().bytes, port: port)
                #expect(socket.receive()?.bytes == [0, 3, 0, 1] + Array(ServerTests.image[..<512]))
                // The same again is a repetition: the transfer's timer answers it.
                try socket.send(ReferenceClient(path: "image").start().bytes, port: port)
                try socket.send(ReferenceClient(path: "one").start().bytes, port: port)
                var answer = socket.receive()
                while answer?.bytes.count == 516 { answer = socket.receive() }
                #expect(answer?.bytes == [0, 3, 0, 1, 42])
                try socket.send([0, 4, 0, 1], port: try #require(answer?.port))
                let reports = await service.next(2)
                #expect(reports.map(\.path) == ["/image", "/one"] && reports.last?.outcome == .completed)
            }
        }

        @Test func aHostsLimitCapsTheBlockSize() async throws {
            let service = FileTable(["/image": .bytes(ServerTests.image)], blockSizeLimit: 1024)
            try await RunningServer.with(service) { port in
                let client = try #require(try SocketTransfers.fetch("image", [("blksize", "1468")], port: port))
                #expect(client.delivered(ServerTests.image) && client.blockSize == 1024)
                let small = try #require(try SocketTransfers.fetch("image", [("blksize", "512")], port: port))
                #expect(small.delivered(ServerTests.image) && small.blockSize == 512)
            }
        }
    }
}
