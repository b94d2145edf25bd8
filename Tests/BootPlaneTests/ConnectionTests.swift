import Boot
import Foundation
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOPosix
import Site
import Synchronization
import TestSupport
import Testing

@testable import BootPlane

/// One connection and what comes over it, without sockets.
@Suite struct ConnectionTests {
    private struct Connection {
        let channel = EmbeddedChannel()
        let backend: FakeBackend

        init(_ directory: URL) throws {
            backend = FakeBackend(
                site: try #require(Site.parse(Array(BootNamespaceTests.site.yaml.utf8)).site), directory: directory)
            try channel.pipeline.syncOperations.addBootHTTPHandlers(
                namespace: BootNamespace(backend: backend), transfers: ActiveTransfers(),
                readers: NIOThreadPool(numberOfThreads: 1), turns: RegionTurns(channel.eventLoop),
                logger: Logger(label: "test"))
            channel.connect(to: try SocketAddress(ipAddress: "10.20.99.21", port: 1), promise: nil)
        }

        func send(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

        /// What was answered since the last call.
        func answers() throws -> String {
            var text = ""
            while var bytes = try channel.readOutbound(as: ByteBuffer.self) {
                text += bytes.readString(length: bytes.readableBytes) ?? ""
            }
            return text
        }
    }

    private static func request(_ path: String, _ method: String = "GET", _ more: String = "") -> String {
        "\(method) \(path) HTTP/1.1\r\nHost: x\r\n\(more)\r\n"
    }

    private static func statuses(_ text: String) -> [String] {
        text.split(separator: "HTTP/1.").dropFirst(text.hasPrefix("HTTP/1.") ? 0 : 1)
            .map { String($0.dropFirst(2).prefix(3)) }
    }

    @Test func pipelinedRequestsAreAnsweredInTheirOrder() throws {
        let connection = try Connection(FileManager.default.temporaryDirectory)
        var wanted: [String] = []
        var all = ""
        for number in 0..<3000 {
            switch number % 4 {
            case 0: all += Self.request("/boot.ipxe")
            case 1: all += Self.request("/nothing/here")
            case 2: all += Self.request("/boot.ipxe", "HEAD")
            default: all += Self.request("/boot.ipxe", "DELETE")
            }
            wanted.append(["200", "404", "200", "405"][number % 4])
        }
        try connection.send(all)
        #expect(Self.statuses(try connection.answers()) == wanted)
    }

    @Test func whatIsBeingMadeHoldsUpWhatCameAfterIt() throws {
        let connection = try Connection(FileManager.default.temporaryDirectory)
        connection.backend.delays.withLock { $0 = 3 }
        try connection.send(Self.request("/loaders/grub-x64.efi") + Self.request("/nothing/here"))
        try connection.send(Self.request("/boot.ipxe"))
        #expect(try connection.answers().isEmpty)
        for _ in 0..<20 {
            connection.channel.embeddedEventLoop.advanceTime(by: .milliseconds(200))
        }
        let text = try connection.answers()
        #expect(Self.statuses(text) == ["200", "404", "200"])
        #expect(text.contains("GRUB uefi"))
    }

    @Test(arguments: [
        "GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\0\0\0\0", "GET /\u{1} HTTP/1.1\r\nHost: x\r\n\r\n",
    ])
    func whatIsNoRequestIsToldSoAndEnded(_ text: String) throws {
        let connection = try Connection(FileManager.default.temporaryDirectory)
        try connection.send(Self.request("/boot.ipxe"))
        #expect(Self.statuses(try connection.answers()) == ["200"])
        try? connection.send(text)
        #expect(Self.statuses(try connection.answers()) == ["400"])
        #expect(!connection.channel.isActive)
    }

    @Test func garbageBehindARequestIsNotAnsweredBeforeIt() throws {
        let connection = try Connection(FileManager.default.temporaryDirectory)
        connection.backend.delays.withLock { $0 = 100 }
        try? connection.send(Self.request("/loaders/grub-x64.efi") + "GARBAGE\r\n\r\n")
        #expect(try connection.answers().isEmpty, "it would be taken for the answer to the first")
        #expect(!connection.channel.isActive)
    }

    @Test(arguments: [
        ("1.1", "", true), ("1.1", "Connection: close\r\n", false), ("1.0", "", false),
        ("1.0", "Connection: keep-alive\r\n", true),
    ])
    func aConnectionStaysOpenAsTheClientWants(_ version: String, _ header: String, _ stays: Bool) throws {
        let connection = try Connection(FileManager.default.temporaryDirectory)
        try connection.send("GET /boot.ipxe HTTP/\(version)\r\nHost: x\r\n\(header)\r\n")
        let text = try connection.answers()
        #expect(text.hasPrefix("HTTP/\(version) 200 OK\r\n"))
        #expect(connection.channel.isActive == stays)
        if version == "1.0", stays { #expect(text.lowercased().contains("connection: keep-alive")) }
        if version == "1.1", !stays { #expect(text.lowercased().contains("connection: close")) }
    }

    @Test func whoAsksBeforeSendingABodyIsToldToGoOn() throws {
        let connection = try Connection(FileManager.default.temporaryDirectory)
        let head = Self.request("/hosts/hv01.token/up", "POST", "Content-Length: 3\r\nExpect: 100-continue\r\n")
        try connection.send(head)
        #expect(try connection.answers() == "HTTP/1.1 100 Continue\r\n\r\n")
        try connection.send("abc" + Self.request("/boot.ipxe"))
        #expect(Self.statuses(try connection.answers()) == ["200", "200"])
        connection.backend.delays.withLock { $0 = 100 }
        try connection.send(Self.request("/loaders/grub-x64.efi") + head)
        #expect(try connection.answers().isEmpty, "not before the answer to the one before")
    }

    @Test func aHeadHasNoLinesOfAnybodyElse() {
        var buffer = ByteBuffer()
        ResponseHead.encode(
            .init(
                version: .http1_1, status: .ok,
                headers: ["content-type": "a\r\nx-evil: 1\r\n\r\n<html>", "b\nc": "d\0e"]),
            into: &buffer)
        let text = String(buffer: buffer)
        #expect(text == "HTTP/1.1 200 OK\r\ncontent-type: a  x-evil: 1    <html>\r\nb c: d e\r\n\r\n")
    }
}
