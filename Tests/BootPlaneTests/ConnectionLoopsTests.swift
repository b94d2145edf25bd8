import Foundation
import NIOCore
import Site
import TestSupport
import Testing

@testable import BootPlane

/// Which loop goes on with a connection; real sockets.
@Suite struct ConnectionLoopsTests {
    private static let loader = String(repeating: "0123456789abcdef", count: 200_000)

    /// What is known by its bytes is answered by the front, and all else by a loop: a connection goes there and back.
    @Test func aConnectionAsksOnAfterABody() async throws {
        try await Server.with { server in
            let client = try server.connect()
            for _ in 0..<3 {
                client.send(EmbeddedConnection.request("/loaders/snponly.efi"))
                #expect(Self.body(client) == Self.loader)
                client.send(EmbeddedConnection.request("/boot.ipxe"))
                #expect(client.receive(server.scriptLength).hasPrefix("HTTP/1.1 200 OK"))
            }
            client.send(EmbeddedConnection.request("/loaders/snponly.efi", "GET", "Connection: close\r\n"))
            #expect(Self.body(client) == Self.loader)
            #expect(client.isEnded())
        }
    }

    /// In pieces, or with the next request behind it, it is read where it is: nothing that came is lost or asked twice.
    @Test func aRequestThatIsNotAloneIsAnsweredWhereItIs() async throws {
        try await Server.with { server in
            let file = EmbeddedConnection.request("/loaders/snponly.efi")
            let script = EmbeddedConnection.request("/boot.ipxe")
            let first = try server.connect()
            first.send(file + script + file)
            #expect(Self.body(first) == Self.loader)
            #expect(first.receive(server.scriptLength).hasPrefix("HTTP/1.1 200 OK"))
            #expect(Self.body(first) == Self.loader)
            let second = try server.connect()
            second.send(String(file.prefix(20)))
            try await Task.sleep(for: .milliseconds(20))
            second.send(String(file.dropFirst(20)) + script)
            #expect(Self.body(second) == Self.loader)
            #expect(second.receive(server.scriptLength).hasPrefix("HTTP/1.1 200 OK"))
        }
    }

    /// Its place counts once while it lives, wherever it is, and is free after it.
    @Test func aConnectionThatMovesKeepsItsPlace() async throws {
        try await Server.with { server in
            #expect(try Self.takeAllPlaces(of: server))
            for _ in 0..<500 {
                // The server sees each end by itself.
                if try Self.takeAllPlaces(of: server) { return }
                try await Task.sleep(for: .milliseconds(10))
            }
            Issue.record("places are still taken")
        }
    }

    /// False where there are fewer than a client may have.
    private static func takeAllPlaces(of server: Server) throws -> Bool {
        let clients = try (0..<ConnectionLimiter.perHTTPClient).map { _ in try server.connect() }
        defer { for client in clients { client.end() } }
        for client in clients { client.send(EmbeddedConnection.request("/loaders/small")) }
        let areServed = clients.allSatisfy { body($0) == "small" }
        if areServed { #expect(try server.connect().isEnded(), "one too many") }
        return areServed
    }

    /// The body of one answer.
    private static func body(_ client: LoopbackClient) -> String {
        let length = client.receiveHead().split(separator: "\r\n").first {
            $0.lowercased().hasPrefix("content-length: ")
        }
        return client.receive(length.flatMap { Int($0.dropFirst(16)) } ?? 0)
    }

    /// Listens on loopback.
    private struct Server {
        let port: Int
        /// Of the answer to `/boot.ipxe`.
        let scriptLength: Int

        func connect() throws -> LoopbackClient { try LoopbackClient(port: port) }

        static func with(_ body: (Server) async throws -> Void) async throws {
            try await TemporaryDirectory.with { directory in
                try Data(ConnectionLoopsTests.loader.utf8).write(to: directory.appending(path: "snponly.efi"))
                try Data("small".utf8).write(to: directory.appending(path: "small"))
                let site = try #require(Site.parse(Array(BootNamespaceTests.site.yaml.utf8)).site)
                let namespace = BootNamespace(backend: FakeBackend(site: site, directory: directory))
                let script = try EmbeddedConnection(namespace, from: "127.0.0.1")
                try script.send(EmbeddedConnection.request("/boot.ipxe"))
                let length = try script.answers().utf8.count
                try await BootListener.with(namespace) { listener in
                    try await body(Server(port: listener.port, scriptLength: length))
                }
            }
        }
    }
}
