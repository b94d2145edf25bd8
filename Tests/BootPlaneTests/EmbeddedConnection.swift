import Foundation
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Site

@testable import BootPlane

/// One connection's pipeline without sockets, in simulated time.
struct EmbeddedConnection {
    let channel = EmbeddedChannel()

    init(_ namespace: BootNamespace, from address: String = "10.20.99.21") throws {
        try channel.pipeline.syncOperations.addBootHTTPHandlers(
            namespace: namespace, transfers: ActiveTransfers(), readers: NIOThreadPool(numberOfThreads: 1),
            logger: Logger(label: "test"))
        channel.connect(to: try SocketAddress(ipAddress: address, port: 1), promise: nil)
    }

    func send(_ text: some StringProtocol) throws { try channel.writeInbound(ByteBuffer(string: String(text))) }

    /// What was answered since the last call.
    func answers() throws -> String {
        var text = ""
        while var bytes = try channel.readOutbound(as: ByteBuffer.self) {
            text += bytes.readString(length: bytes.readableBytes) ?? ""
        }
        return text
    }

    static func request(_ path: String, _ method: String = "GET", _ more: String = "") -> String {
        "\(method) \(path) HTTP/1.1\r\nHost: x\r\n\(more)\r\n"
    }

    static func statuses(_ text: String) -> [String] {
        text.split(separator: "HTTP/1.").dropFirst(text.hasPrefix("HTTP/1.") ? 0 : 1)
            .map { String($0.dropFirst(2).prefix(3)) }
    }
}
