internal import NIOCore

/// Counts the seconds of one event loop's connections: one timer for all of them, and none where there are none. A timer for
/// each would be made and taken away with every request. Used on its loop only.
final class ConnectionClock {
    private let eventLoop: any EventLoop
    private var watches: [ObjectIdentifier: ConnectionWatch] = [:]
    private(set) var isTicking = false

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    var count: Int { watches.count }

    func add(_ watch: ConnectionWatch) {
        watches[ObjectIdentifier(watch)] = watch
        tickLater()
    }

    func remove(_ watch: ConnectionWatch) { watches[ObjectIdentifier(watch)] = nil }

    private func tickLater() {
        guard !isTicking, !watches.isEmpty else { return }
        isTicking = true
        let clock = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: .seconds(1)) {
            clock.value.isTicking = false
            // A copy: who is ended is taken out.
            for watch in Array(clock.value.watches.values) { watch.secondHasPassed() }
            clock.value.tickLater()
        }
    }
}
