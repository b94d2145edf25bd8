import Logging
import NIOCore
import NIOPosix
import Testing

@testable import BootPlane

/// HTTP of a namespace on loopback, with one loop for questions and one thread for bodies, for the length of a scope.
struct BootListener {
    let port: Int
    let questions: any EventLoop
    let channel: any Channel

    static func with(_ namespace: BootNamespace, _ body: (BootListener) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let questions = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let readers = NIOThreadPool(numberOfThreads: 1)
        readers.start()
        let bodies = try BodyLoops(count: 1, readers: readers)
        let channel = try await BootListeners(
            group: group, questions: questions, readers: readers, bodies: bodies, namespace: namespace,
            transfers: ActiveTransfers(), logger: Logger(label: "test")
        ).bindHTTP(host: "127.0.0.1", port: 0)
        try await body(
            BootListener(
                port: try #require(channel.localAddress?.port), questions: questions.next(), channel: channel))
        if channel.isActive { try await channel.close() }
        await bodies.stop()
        try await readers.shutdownGracefully()
        try await questions.shutdownGracefully()
        try await group.shutdownGracefully()
    }
}
