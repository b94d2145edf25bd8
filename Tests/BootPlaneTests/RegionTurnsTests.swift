import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import BootPlane

/// How the large bodies of one loop take turns.
@Suite struct RegionTurnsTests {
    @Test func everybodyHasATurnBeforeAnybodyHasASecond() throws {
        let loop = EmbeddedEventLoop()
        let turns = RegionTurns(loop)
        var order: [Int] = []
        func send(_ body: Int, _ left: Int) {
            order.append(body)
            guard left > 0 else { return }
            turns.take { send(body, left - 1) }
        }
        for body in 0..<3 { turns.take { send(body, 2) } }
        #expect(order.isEmpty, "never before the call returns")
        for _ in 0..<9 { loop.advanceTime(by: .microseconds(5)) }
        #expect(order == [0, 1, 2, 0, 1, 2, 0, 1, 2])
        loop.advanceTime(by: .seconds(1))
        #expect(order.count == 9)
    }

    /// A body that always has a next region keeps nobody from being answered.
    @Test(arguments: [true, false])
    func whileTurnsAreTakenConnectionsAreServed(_ hasPipe: Bool) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let loop = NIOLoopBoundBox.makeBoxSendingValue(BootLoop(group.next()), eventLoop: group.next())
            if hasPipe { try await RegionTurns.watchPipe(of: loop, on: group.next()) }
            let server = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo()) }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            let count = try await group.next().submit {
                let endless = Endless(loop.value.turns)
                endless.go()
                return NIOLoopBound(endless, eventLoop: group.next())
            }.get()
            let clients = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let port = try #require(server.localAddress?.port)
            for _ in 0..<20 {
                let client = try await ClientBootstrap(group: clients).connect(host: "127.0.0.1", port: port) {
                    channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
                try await client.executeThenClose { inbound, outbound in
                    try await outbound.write(ByteBuffer(string: "are you there?"))
                    for try await bytes in inbound {
                        #expect(String(buffer: bytes) == "are you there?")
                        break
                    }
                }
            }
            let given = try await group.next().submit {
                count.value.isEnded = true
                return count.value.count
            }.get()
            #expect(given > 20)
            try await clients.shutdownGracefully()
            try await server.close()
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    private final class Endless {
        private let turns: RegionTurns
        var count = 0
        var isEnded = false

        init(_ turns: RegionTurns) { self.turns = turns }

        func go() {
            count += 1
            if !isEnded { turns.take { self.go() } }
        }
    }

    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(data, promise: nil)
        }
    }
}
