import Foundation
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Site
import Synchronization
import TestSupport
import Testing

@testable import BootPlane

/// One connection and what comes over it, without sockets.
@Suite struct ConnectionTests {
    private typealias Connection = EmbeddedConnection

    private static func backend() throws -> FakeBackend {
        FakeBackend(
            site: try #require(Site.parse(Array(BootNamespaceTests.site.yaml.utf8)).site),
            directory: FileManager.default.temporaryDirectory)
    }

    private static func request(_ path: String, _ method: String = "GET", _ more: String = "") -> String {
        Connection.request(path, method, more)
    }

    @Test func pipelinedRequestsAreAnsweredInTheirOrder() throws {
        let connection = try Connection(BootNamespace(backend: Self.backend()))
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
        #expect(Connection.statuses(try connection.answers()) == wanted)
    }

    @Test func whatIsBeingMadeHoldsUpWhatCameAfterIt() throws {
        let backend = try Self.backend()
        let connection = try Connection(BootNamespace(backend: backend))
        backend.delays.withLock { $0 = 3 }
        try connection.send(Self.request("/loaders/grub-x64.efi") + Self.request("/nothing/here"))
        try connection.send(Self.request("/boot.ipxe"))
        #expect(try connection.answers().isEmpty)
        for _ in 0..<20 {
            connection.channel.embeddedEventLoop.advanceTime(by: .milliseconds(200))
        }
        let text = try connection.answers()
        #expect(Connection.statuses(text) == ["200", "404", "200"])
        #expect(text.contains("GRUB uefi"))
    }

    @Test(arguments: [
        "GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\0\0\0\0", "GET /\u{1} HTTP/1.1\r\nHost: x\r\n\r\n",
    ])
    func whatIsNoRequestIsToldSoAndEnded(_ text: String) throws {
        let connection = try Connection(BootNamespace(backend: Self.backend()))
        try connection.send(Self.request("/boot.ipxe"))
        #expect(Connection.statuses(try connection.answers()) == ["200"])
        try? connection.send(text)
        #expect(Connection.statuses(try connection.answers()) == ["400"])
        #expect(!connection.channel.isActive)
    }

    @Test func garbageBehindARequestIsNotAnsweredBeforeIt() throws {
        let backend = try Self.backend()
        let connection = try Connection(BootNamespace(backend: backend))
        backend.delays.withLock { $0 = 100 }
        try? connection.send(Self.request("/loaders/grub-x64.efi") + "GARBAGE\r\n\r\n")
        #expect(try connection.answers().isEmpty, "it would be taken for the answer to the first")
        #expect(!connection.channel.isActive)
    }

    @Test(arguments: [
        ("1.1", "", true), ("1.1", "Connection: close\r\n", false), ("1.0", "", false),
        ("1.0", "Connection: keep-alive\r\n", true),
    ])
    func aConnectionStaysOpenAsTheClientWants(_ version: String, _ header: String, _ stays: Bool) throws {
        let connection = try Connection(BootNamespace(backend: Self.backend()))
        try connection.send("GET /boot.ipxe HTTP/\(version)\r\nHost: x\r\n\(header)\r\n")
        let text = try connection.answers()
        #expect(text.hasPrefix("HTTP/\(version) 200 OK\r\n"))
        #expect(connection.channel.isActive == stays)
        if version == "1.0", stays { #expect(text.lowercased().contains("connection: keep-alive")) }
        if version == "1.1", !stays { #expect(text.lowercased().contains("connection: close")) }
    }

    @Test func whoAsksBeforeSendingABodyIsToldToGoOn() throws {
        let backend = try Self.backend()
        let connection = try Connection(BootNamespace(backend: backend))
        let head = Self.request("/hosts/hv01.token/up", "POST", "Content-Length: 3\r\nExpect: 100-continue\r\n")
        try connection.send(head)
        #expect(try connection.answers() == "HTTP/1.1 100 Continue\r\n\r\n")
        try connection.send("abc" + Self.request("/boot.ipxe"))
        #expect(Connection.statuses(try connection.answers()) == ["200", "200"])
        backend.delays.withLock { $0 = 100 }
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
