package import NIOCore

/// What the connections of one event loop share.
package final class BootLoop {
    let turns: RegionTurns
    let clock: ConnectionClock

    /// Of one loop; used on it only.
    package init(_ eventLoop: any EventLoop) {
        turns = RegionTurns(eventLoop)
        clock = ConnectionClock(eventLoop)
    }
}
