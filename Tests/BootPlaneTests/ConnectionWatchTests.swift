import Foundation
import NIOCore
import NIOEmbedded
import Site
import TestSupport
import Testing

@testable import BootPlane

/// Connections that stand still, or whose requests do not end.
@Suite struct ConnectionWatchTests {
    private static func connect() throws -> EmbeddedConnection {
        let site = try #require(Site.parse(Array(BootNamespaceTests.site.yaml.utf8)).site)
        return try EmbeddedConnection(
            BootNamespace(backend: FakeBackend(site: site, directory: FileManager.default.temporaryDirectory)))
    }

    /// Whether the connection is open after so many seconds, and another byte each.
    private static func isOpen(_ connection: EmbeddedConnection, after seconds: Int, trickling text: String = "") throws
        -> Bool
    {
        var rest = Substring(text)
        let channel = connection.channel
        for _ in 0..<seconds where channel.isActive {
            if let character = rest.popFirst() { try connection.send(String(character)) }
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        }
        return channel.isActive
    }

    @Test(arguments: ["", "GET /boot.ipxe HTTP/1.1\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"])
    func aRequestThatDoesNotEndIsEnded(_ text: String) throws {
        let connection = try Self.connect()
        #expect(try Self.isOpen(connection, after: 29, trickling: text))
        #expect(try !Self.isOpen(connection, after: 2, trickling: text))
    }

    @Test func aBodyThatDoesNotEndIsEnded() throws {
        let connection = try Self.connect()
        try connection.send("POST /boot.ipxe HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        #expect(try !Self.isOpen(connection, after: 31, trickling: String(repeating: "x", count: 100)))
    }

    @Test func betweenRequestsAConnectionStaysOpen() throws {
        let connection = try Self.connect()
        for _ in 0..<3 {
            try connection.send("GET /boot.ipxe HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try connection.answers().hasPrefix("HTTP/1.1 200 OK"))
            #expect(try Self.isOpen(connection, after: 100))
        }
        // The next one has its own time.
        try connection.send("GET /boot")
        #expect(try Self.isOpen(connection, after: 29))
        #expect(try !Self.isOpen(connection, after: 2))
    }

    @Test func aConnectionThatStandsStillIsEnded() throws {
        let connection = try Self.connect()
        try connection.send(EmbeddedConnection.request("/boot.ipxe"))
        #expect(try Self.isOpen(connection, after: 119))
        #expect(try !Self.isOpen(connection, after: 2))
    }

    /// Who passed it on had answered it: it owes nothing.
    @Test func aConnectionThatAskedBeforeIsBetweenRequests() throws {
        let channel = EmbeddedChannel()
        let watch = ConnectionWatch(ConnectionClock(channel.eventLoop), isNew: false)
        try channel.pipeline.syncOperations.addHandler(watch)
        channel.connect(to: try SocketAddress(ipAddress: "10.20.99.21", port: 1), promise: nil)
        channel.embeddedEventLoop.advanceTime(by: .seconds(100))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(22))
        #expect(!channel.isActive)
    }

    @Test func manyConnectionsHaveOneTimer() throws {
        let loop = EmbeddedEventLoop()
        let clock = ConnectionClock(loop)
        let watches = (0..<1000).map { _ in ConnectionWatch(clock) }
        for watch in watches { clock.add(watch) }
        #expect(clock.count == 1000)
        for watch in watches { clock.remove(watch) }
        loop.advanceTime(by: .seconds(2))
        #expect(clock.count == 0 && !clock.isTicking)
    }
}
