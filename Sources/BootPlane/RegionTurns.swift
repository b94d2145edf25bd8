package import NIOCore

/// Turns of one event loop's large bodies: one region, then a look at all connections, then the next one's region. A task for
/// each body would not do: NIO runs tasks that are due before it looks at its sockets, and while a few bodies are written
/// some task is always due. Used on its loop only.
package final class RegionTurns {
    /// Until the next turn: more than nothing, or it would be due at once.
    private static let pause = TimeAmount.microseconds(5)

    private let eventLoop: any EventLoop
    private var waiting = CircularBuffer<() -> Void>()
    private var isScheduled = false

    /// Those of one loop.
    package init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Calls `turn` when everybody before had a turn, never before this returns.
    func take(_ turn: @escaping () -> Void) {
        waiting.append(turn)
        schedule()
    }

    private func schedule() {
        guard !isScheduled, !waiting.isEmpty else { return }
        isScheduled = true
        let turns = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: Self.pause) {
            turns.value.isScheduled = false
            turns.value.waiting.popFirst()?()
            turns.value.schedule()
        }
    }
}
