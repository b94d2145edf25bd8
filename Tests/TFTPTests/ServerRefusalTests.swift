import Synchronization
import TFTP
import Testing

extension ServerTests {
    /// What the server does not do, and what it says then.
    @Suite struct Refusals {
        /// Sends a packet to the request port and gives the answer's operation and error code.
        private func answer(_ packet: [UInt8]) async throws -> (code: UInt8, refusals: [RequestRefusal]) {
            let service = ServerTests.service
            var code: UInt8 = 255
            try await RunningServer.with(service) { port in
                let socket = try ClientSocket()
                try socket.send(packet, port: port)
                let bytes = try #require(socket.receive()).bytes
                try #require(bytes.count > 4 && bytes[1] == 5 && bytes.last == 0)
                code = bytes[3]
            }
            return (code, service.refused)
        }

        @Test func refusesToWrite() async throws {
            let answer = try await answer(ReferenceClient.request(operation: 2, path: "image"))
            #expect(answer.code == 2)
            #expect(answer.refusals.map(\.code) == [.accessViolation])
        }

        @Test(arguments: ["netascii", "mail", ""])
        func refusesOtherModes(_ mode: String) async throws {
            #expect(try await answer(ReferenceClient.request(path: "image", mode: mode)).code == 4)
        }

        @Test func takesTheModeInAnyCase() async throws {
            try await RunningServer.with(ServerTests.service) { port in
                let socket = try ClientSocket()
                try socket.send(ReferenceClient.request(path: "one", mode: "OcTeT"), port: port)
                #expect(socket.receive()?.bytes == [0, 3, 0, 1, 42])
            }
        }

        @Test func anAbsentFileIsAnsweredAtOnceWithErrorOne() async throws {
            let answer = try await answer(
                ReferenceClient.request(path: "revocations_sku.efi", options: [("tsize", "0")]))
            #expect(answer.code == 1)
            let refusal = try #require(answer.refusals.first)
            #expect(refusal.name == "/revocations_sku.efi" && refusal.client == "127.0.0.1")
        }

        @Test(arguments: ["../image", "a/../image", "a\\..\\image", "", "image\u{1}"])
        func refusesNamesThatLeadOut(_ path: String) async throws {
            #expect(try await answer(ReferenceClient.request(path: path)).code == 2)
        }

        @Test(arguments: [[], [0], [0, 1], [0, 3, 0, 1, 1], [0, 6, 0, 0], [255, 255, 255, 255]] as [[UInt8]])
        func malformedPacketsGetErrorFour(_ packet: [UInt8]) async throws {
            #expect(try await answer(packet).code == 4)
        }

        @Test func anAcknowledgementOutOfNowhereGetsErrorFive() async throws {
            #expect(try await answer([0, 4, 0, 1]).code == 5)
        }

        @Test func anErrorIsNeverAnswered() async throws {
            #expect(try await refusedAfterAnError() == 1)
        }

        /// The first answer that comes after an ERROR and a request for an absent file were sent.
        private func refusedAfterAnError() async throws -> UInt8? {
            var code: UInt8?
            try await RunningServer.with(ServerTests.service) { port in
                let socket = try ClientSocket()
                try socket.send(ReferenceClient.error(4, "?"), port: port)
                try socket.send(ReferenceClient.request(path: "absent"), port: port)
                code = socket.receive()?.bytes[3]
            }
            return code
        }

        @Test func unprintableNamesAreReportedWithoutTheirControlCharacters() async throws {
            let answer = try await answer(ReferenceClient.request(path: "a\u{1b}[2Jb\n"))
            #expect(answer.refusals.first?.name == "a?[2Jb?")
        }

        @Test func oneClientMayNotHaveTooManyTransfers() async throws {
            let service = ServerTests.service
            try await RunningServer.with(service) { port in
                var sockets: [ClientSocket] = []
                for _ in 0..<TFTPServer.maximumTransfersPerClient {
                    let socket = try ClientSocket()
                    try socket.send(ReferenceClient.request(path: "image"), port: port)
                    #expect(socket.receive()?.bytes.prefix(2) == [0, 3])
                    sockets.append(socket)
                }
                let late = try ClientSocket()
                try late.send(ReferenceClient.request(path: "image"), port: port)
                #expect(late.receive()?.bytes.prefix(4) == [0, 5, 0, 0])
                let other = try ClientSocket(address: "127.0.0.9")
                try other.send(ReferenceClient.request(path: "image"), port: port)
                #expect(other.receive()?.bytes.prefix(2) == [0, 3])
            }
            #expect(service.refused.count == 1)
        }

        /// Where all places are taken, the one that waited longest for its client's first word gives way, and no other.
        @Test func whoNeverAnswersGivesWay() async throws {
            let service = ServerTests.service
            try await RunningServer.with(service, transferLimit: 4) { port in
                func ask(_ last: Int) throws -> (socket: ClientSocket, answer: ClientSocket.Datagram) {
                    let socket = try ClientSocket(address: "127.0.0.\(last)")
                    try socket.send(ReferenceClient.request(path: "image", options: [("blksize", "512")]), port: port)
                    return (socket, try #require(socket.receive()))
                }
                func answers(_ client: (socket: ClientSocket, answer: ClientSocket.Datagram)) throws -> Bool {
                    try client.socket.send(ReferenceClient.acknowledgement(0), port: client.answer.port)
                    return client.socket.receive()?.bytes.prefix(4) == [0, 3, 0, 1]
                }
                let first = try ask(11)
                #expect(try answers(first))
                var others = try (12...14).map { try ask($0) }
                for last in 15...20 {
                    others.append(try ask(last))
                    #expect(others.last?.answer.bytes.prefix(2) == [0, 6], "it is served")
                }
                #expect(
                    service.ended.map(\.client) == (12...17).map { "127.0.0.\($0)" }
                        && service.ended.allSatisfy { $0.outcome == .gaveWay })
                #expect(service.ranOut.withLock { $0 } == 1, "said once, not for each")
                // All that are left answer: now nobody gives way.
                for client in others.suffix(3) { #expect(try answers(client)) }
                #expect(try ask(21).answer.bytes.prefix(4) == [0, 5, 0, 0])
                try first.socket.send(ReferenceClient.acknowledgement(1), port: first.answer.port)
                #expect(first.socket.receive()?.bytes.prefix(4) == [0, 3, 0, 2], "who answered goes on")
            }
        }
    }
}
