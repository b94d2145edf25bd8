import TFTP
import Testing

extension ServerTests {
    /// Answers come from where the question went, on a machine with several addresses.
    @Suite struct Addresses {
        @Test(arguments: ["127.0.0.1", "127.0.0.2", "127.99.1.3"])
        func dataComesFromTheAddressThatWasAsked(_ host: String) async throws {
            try await RunningServer.with(ServerTests.service, address: "0.0.0.0") { port in
                let socket = try ClientSocket()
                try socket.send(ReferenceClient.request(path: "one"), to: host, port: port)
                let answer = try #require(socket.receive())
                #expect(answer.host == host)
                #expect(answer.port != port)
                #expect(answer.bytes == [0, 3, 0, 1, 42])
                try socket.send(ReferenceClient.acknowledgement(1), to: host, port: answer.port)
            }
        }

        @Test(arguments: ["127.0.0.1", "127.0.0.2"])
        func errorsComeFromTheAddressThatWasAsked(_ host: String) async throws {
            try await RunningServer.with(ServerTests.service, address: "0.0.0.0") { port in
                let socket = try ClientSocket()
                for request in [
                    ReferenceClient.request(path: "absent"), ReferenceClient.request(operation: 2, path: "image"),
                    ReferenceClient.request(path: "image", mode: "netascii"), [0, 9, 0, 0],
                ] {
                    try socket.send(request, to: host, port: port)
                    let answer = try #require(socket.receive())
                    #expect(answer.host == host)
                    #expect(answer.bytes.prefix(2) == [0, 5])
                }
            }
        }

        @Test func answersOverIPv6() async throws {
            let endpoint = try #require(DatagramEndpoint(host: "::1", port: 0))
            #expect(endpoint.host == "::1")
            let server = try TFTPServer(listen: [endpoint], service: ServerTests.service)
            async let running: Void = server.run()
            let result = try await Tool.run(
                "curl", ["-sS", "-m", "20", "tftp://[::1]:\(server.endpoints.first?.port ?? 0)/image"])
            server.stop()
            await running
            #expect(result?.printed(ServerTests.image) != false)
        }

        @Test func aPacketOfAStrangerDoesNotDisturb() async throws {
            try await RunningServer.with(ServerTests.service) { port in
                let client = try ClientSocket()
                let stranger = try ClientSocket(address: "127.0.0.3")
                try client.send(ReferenceClient.request(path: "block"), port: port)
                let first = try #require(client.receive())
                try stranger.send(ReferenceClient.error(8, "no"), port: first.port)
                try stranger.send(ReferenceClient.acknowledgement(1), port: first.port)
                try client.send(ReferenceClient.acknowledgement(1), port: first.port)
                #expect(client.receive()?.bytes == [0, 3, 0, 2])
                try client.send(ReferenceClient.acknowledgement(2), port: first.port)
            }
        }

        @Test(arguments: ["example.net", "127.0.0", "", "::g"])
        func namesAreNoAddresses(_ text: String) { #expect(DatagramEndpoint(host: text, port: 69) == nil) }

        @Test(arguments: [
            ("::ffff:10.20.99.95", 0x0a14_635f), ("::10.20.99.95", nil), ("2001:db8::ffff:a14:635f", nil),
        ])
        func aMappedAddressIsAnIPv4One(_ text: String, _ address: UInt32?) throws {
            #expect(try #require(DatagramEndpoint(host: text, port: 69)).ipv4 == address)
        }

        @Test func anEndpointKnowsItsHostAndPort() throws {
            let endpoint = try #require(DatagramEndpoint(host: "10.20.99.95", port: 69))
            #expect(endpoint.host == "10.20.99.95" && endpoint.port == 69)
            #expect(endpoint == DatagramEndpoint(host: "10.20.99.95", port: 69))
            #expect(endpoint != DatagramEndpoint(host: "10.20.99.95", port: 70))
            #expect(endpoint.ipv4 == 0x0a14_635f)
        }
    }
}
