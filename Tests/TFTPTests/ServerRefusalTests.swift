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
    }
}
