import Foundation
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOPosix
import Site
import TestSupport
import Testing

@testable import BootPlane

/// A connection's pipeline without sockets, in simulated time.
@Suite struct RequestDeadlineTests {
    private static func connect(_ directory: URL) throws -> EmbeddedChannel {
        let site = try #require(Site.parse(Array(BootNamespaceTests.site.yaml.utf8)).site)
        let namespace = BootNamespace(backend: FakeBackend(site: site, directory: directory))
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addBootHTTPHandlers(
            namespace: namespace, transfers: ActiveTransfers(), readers: NIOThreadPool(numberOfThreads: 1),
            turns: RegionTurns(channel.eventLoop),
            logger: Logger(label: "test"))
        channel.connect(to: try SocketAddress(ipAddress: "10.20.99.21", port: 1), promise: nil)
        return channel
    }

    private static func send(_ text: some StringProtocol, _ channel: EmbeddedChannel) throws {
        try channel.writeInbound(ByteBuffer(string: String(text)))
    }

    /// Whether the connection is open after so many seconds, and another byte each.
    private static func isOpen(_ channel: EmbeddedChannel, after seconds: Int, trickling text: String = "") throws
        -> Bool
    {
        var rest = Substring(text)
        for _ in 0..<seconds where channel.isActive {
            if let character = rest.popFirst() { try send(String(character), channel) }
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        }
        return channel.isActive
    }

    @Test(arguments: ["", "GET /boot.ipxe HTTP/1.1\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"])
    func aRequestThatDoesNotEndIsEnded(_ text: String) throws {
        let channel = try Self.connect(FileManager.default.temporaryDirectory)
        #expect(try Self.isOpen(channel, after: 29, trickling: text))
        #expect(try !Self.isOpen(channel, after: 2, trickling: text))
    }

    @Test func aBodyThatDoesNotEndIsEnded() throws {
        let channel = try Self.connect(FileManager.default.temporaryDirectory)
        try Self.send("POST /boot.ipxe HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", channel)
        #expect(try !Self.isOpen(channel, after: 31, trickling: String(repeating: "x", count: 100)))
    }

    @Test func betweenRequestsAConnectionStaysOpen() throws {
        let channel = try Self.connect(FileManager.default.temporaryDirectory)
        for _ in 0..<3 {
            try Self.send("GET /boot.ipxe HTTP/1.1\r\nHost: x\r\n\r\n", channel)
            var answer = ""
            while var bytes = try channel.readOutbound(as: ByteBuffer.self) {
                answer += bytes.readString(length: bytes.readableBytes) ?? ""
            }
            #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
            #expect(try Self.isOpen(channel, after: 100))
        }
        // The next one has its own time.
        try Self.send("GET /boot", channel)
        #expect(try Self.isOpen(channel, after: 29))
        #expect(try !Self.isOpen(channel, after: 2))
    }
}
