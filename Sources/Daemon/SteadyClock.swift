internal import Glibc
internal import Synchronization

/// Wall-clock time that never goes back, for a machine without a battery clock: it starts in the past, at the earliest
/// at the newest time that was stored before, runs on, and follows the real time once it is known. So what happens later
/// has the later time, and nothing that was stored lies in the future.
final class SteadyClock: Sendable {
    /// Milliseconds: since 1970, and since the machine started.
    struct Reading: Sendable {
        var wall: Int64
        var uptime: Int64
    }

    private struct State {
        /// At `uptime` the time was at least `floor`.
        var floor: Int64 = 0
        var uptime: Int64 = 0
        var last: Int64 = 0
    }

    private let read: @Sendable () -> Reading
    private let state = Mutex(State())

    init(read: @escaping @Sendable () -> Reading = SteadyClock.system) { self.read = read }

    /// Milliseconds since 1970; never less than before.
    func milliseconds() -> Int64 {
        let reading = read()
        return state.withLock { state in
            state.last = max(state.last, reading.wall, state.floor + max(0, reading.uptime - state.uptime))
            return state.last
        }
    }

    /// Seconds since 1970; never less than before.
    func seconds() -> Int64 { milliseconds() / 1000 }

    /// From now on the time is later than `stored`, in milliseconds since 1970.
    func start(after stored: Int64) {
        let reading = read()
        state.withLock { state in
            guard stored >= state.floor else { return }
            state.floor = stored + 1
            state.uptime = reading.uptime
        }
    }

    static func system() -> Reading {
        Reading(wall: milliseconds(CLOCK_REALTIME), uptime: milliseconds(CLOCK_BOOTTIME))
    }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
