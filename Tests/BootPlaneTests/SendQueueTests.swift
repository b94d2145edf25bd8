import Foundation
import Glibc
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Site
import Synchronization
import TestSupport
import Testing

@testable import BootPlane

/// How much the kernel holds for a client.
@Suite struct SendQueueTests {
    @Test func aClientNearbyHasAShortQueue() async throws {
        let (before, after) = try await options(Self.queue) { SendQueue.bound($0) }
        #expect(after == 2 * SendQueue.size)
        #expect(before != after)
    }

    @Test(arguments: [SendQueue.near + 1, 30_000_000, -1])
    func whoIsFarOrNobodyKnowsWhereIsLeftToTheKernel(_ roundTrip: Int64) async throws {
        let (before, after) = try await options(Self.queue) { SendQueue.bound($0) { _ in roundTrip } }
        #expect(before == after)
    }

    @Test func whatIsNoSocketIsLeftAlone() {
        SendQueue.bound(EmbeddedChannel()) { _ in
            Issue.record("asked of no socket")
            return 0
        }
    }

    /// A body fills its segments; and nothing waits for more when it has ended.
    @Test func whatFillsNoSegmentIsHeldBackWithinABodyOnly() async throws {
        let accepted = Mutex<(any Channel)?>(nil)
        try await TemporaryDirectory.with { directory in
            // More than all queues of a connection hold.
            let loader = [UInt8](repeating: 7, count: 32 << 20)
            try Data(loader).write(to: directory.appending(path: "snponly.efi"))
            let site = try #require(Site.parse(Array(BootNamespaceTests.site.yaml.utf8)).site)
            let namespace = BootNamespace(backend: FakeBackend(site: site, directory: directory))
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let readers = NIOThreadPool(numberOfThreads: 1)
            readers.start()
            let bodies = try BodyLoops(count: 1, readers: readers)
            let server = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    accepted.withLock { $0 = channel }
                    return channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addBootHTTPHandlers(
                            namespace: namespace, transfers: ActiveTransfers(), readers: readers, bodies: bodies,
                            clock: ConnectionClock(channel.eventLoop), isNew: true, giveBack: nil, tls: nil,
                            logger: Logger(label: "test"))
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            let client = try LoopbackClient(port: try #require(server.localAddress?.port))
            client.send(EmbeddedConnection.request("/loaders/snponly.efi"))
            #expect(client.receiveHead().hasPrefix("HTTP/1.1 200"))
            let connection = try #require(accepted.withLock { $0 })
            let during = try await connection.eventLoop.submit { Self.option(connection, Self.cork) }.get()
            #expect(during == 1)
            #expect(client.receive(loader.count).utf8.count == loader.count)
            // Once this is answered, all has been done that ends a body.
            client.send(EmbeddedConnection.request("/nothing", "HEAD"))
            #expect(client.receiveHead().hasPrefix("HTTP/1.1 404"))
            let after = try await connection.eventLoop.submit { Self.option(connection, Self.cork) }.get()
            #expect(after == 0)
            client.end()
            try await server.close()
            await bodies.stop()
            try await readers.shutdownGracefully()
            try await group.shutdownGracefully()
        }
    }

    @Test func whatWasHeldBackIsReleased() async throws {
        let (before, held) = try await options(Self.cork) { SendQueue.hold($0) }
        #expect(before == 0)
        #expect(held == 1)
        let (_, released) = try await options(Self.cork) {
            SendQueue.hold($0)
            SendQueue.release($0)
        }
        #expect(released == 0)
    }

    private static let queue = (SOL_SOCKET, SO_SNDBUF)
    private static let cork = (Int32(IPPROTO_TCP), TCP_CORK)

    /// An option of a connection's socket before and after.
    private func options(
        _ name: (Int32, Int32), _ change: @escaping @Sendable (any Channel) -> Void
    ) async throws -> (Int32, Int32) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let address = try #require(server.localAddress)
        let client = try await ClientBootstrap(group: group).connect(to: address).get()
        let values = try await client.eventLoop.submit {
            let before = Self.option(client, name)
            change(client)
            return (before, Self.option(client, name))
        }.get()
        try await client.close()
        try await server.close()
        try await group.shutdownGracefully()
        return values
    }

    private static func option(_ channel: any Channel, _ name: (Int32, Int32)) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout.size(ofValue: value))
        _ = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            getsockopt($0, name.0, name.1, &value, &length)
        }
        return value
    }
}
