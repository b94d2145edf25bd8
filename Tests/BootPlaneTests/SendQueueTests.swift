import Glibc
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import BootPlane

/// How much the kernel holds for a client.
@Suite struct SendQueueTests {
    @Test(arguments: [
        (1, SendQueue.size), (SendQueue.many - 1, SendQueue.size), (SendQueue.many, SendQueue.sizeOfMany),
        (10_000, SendQueue.sizeOfMany),
    ])
    func aClientNearbyHasAShortQueue(_ transfers: Int, _ size: Int32) async throws {
        let (before, after) = try await queue { SendQueue.bound($0, transfers: transfers) }
        #expect(after == 2 * size)
        #expect(before != after)
    }

    @Test(arguments: [SendQueue.near + 1, 30_000_000, -1])
    func whoIsFarOrNobodyKnowsWhereIsLeftToTheKernel(_ roundTrip: Int64) async throws {
        let (before, after) = try await queue { SendQueue.bound($0, transfers: 1) { _ in roundTrip } }
        #expect(before == after)
    }

    @Test func whatIsNoSocketIsLeftAlone() {
        SendQueue.bound(EmbeddedChannel(), transfers: 1) { _ in
            Issue.record("asked of no socket")
            return 0
        }
    }

    /// Bytes of a connection's queue before and after.
    private func queue(_ change: @escaping @Sendable (any Channel) -> Void) async throws -> (Int32, Int32) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let address = try #require(server.localAddress)
        let client = try await ClientBootstrap(group: group).connect(to: address).get()
        let sizes = try await client.eventLoop.submit {
            let before = Self.size(client)
            change(client)
            return (before, Self.size(client))
        }.get()
        try await client.close()
        try await server.close()
        try await group.shutdownGracefully()
        return sizes
    }

    private static func size(_ channel: any Channel) -> Int32 {
        var size: Int32 = 0
        var length = socklen_t(MemoryLayout.size(ofValue: size))
        _ = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            getsockopt($0, SOL_SOCKET, SO_SNDBUF, &size, &length)
        }
        return size
    }
}
