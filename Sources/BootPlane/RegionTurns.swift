internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Turns of one event loop's large bodies: one region, then a look at all connections, then the next one's region. Used on its
/// loop only.
///
/// What calls for the next turn is a pipe that the loop watches as it watches its connections. A task would not do: NIO runs
/// those that are due before it looks at its sockets, and while a few bodies are written some task is always due. Nor would a
/// task a little later: the loop sleeps until then, and to wake a processor takes as long as to send a quarter of a region.
final class RegionTurns {
    /// Where there is no pipe: more than nothing, or it would be due at once.
    private static let pause = TimeAmount.microseconds(5)
    /// Bytes that a body sends in its turn, at most: half a millisecond of the loop.
    static let regionSize: Int64 = 4 << 20

    private let eventLoop: any EventLoop
    private var waiting = CircularBuffer<() -> Void>()
    private var isCalled = false
    /// The end of the pipe that is written to; nil where there is none.
    private var bell: Int32?

    /// Those of one loop. Without a pipe, which `watchPipe` makes, a timer calls.
    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    deinit { bell.map { _ = close($0) } }

    /// Calls `turn` when everybody before had a turn, never before this returns.
    func take(_ turn: @escaping () -> Void) {
        waiting.append(turn)
        callNext()
    }

    /// One at most is called at a time, so the pipe is never full.
    private func callNext() {
        guard !isCalled, !waiting.isEmpty else { return }
        isCalled = true
        if let bell, write(bell, [1], 1) == 1 { return }
        let turns = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: Self.pause) { turns.value.giveTurn() }
    }

    fileprivate func giveTurn() {
        isCalled = false
        waiting.popFirst()?()
        callNext()
    }

    /// Has the loop watch a pipe, until it ends.
    /// - Parameters:
    ///   - loop: what its connections share.
    ///   - eventLoop: that loop, of sockets.
    /// - Throws: `IOError` where there is no descriptor left.
    static func watchPipe(of loop: NIOLoopBoundBox<BootLoop>, on eventLoop: any EventLoop) async throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw IOError(errnoCode: errno, reason: "pipe") }
        let (reading, writing) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        do {
            _ = try await NIOPipeBootstrap(group: eventLoop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Caller(loop.value.turns))
                    }
                }
                .takingOwnershipOfDescriptor(input: reading).get()
        } catch {
            close(reading)
            close(writing)
            throw error
        }
        try await eventLoop.submit { loop.value.turns.bell = writing }.get()
    }

    /// Gives a turn for what comes out of the pipe.
    private final class Caller: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let turns: RegionTurns

        init(_ turns: RegionTurns) { self.turns = turns }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { turns.giveTurn() }
    }
}
