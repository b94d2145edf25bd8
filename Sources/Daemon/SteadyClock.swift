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
        /// What was told last, and when.
        var last: Int64 = 0
        var uptime: Int64
        /// What lifetimes count from.
        var start: Reading
    }

    private let read: @Sendable () -> Reading
    private let state: Mutex<State>

    init(read: @escaping @Sendable () -> Reading = SteadyClock.system) {
        self.read = read
        let now = read()
        state = Mutex(State(uptime: now.uptime, start: now))
    }

    /// Milliseconds since 1970. While the wall clock is behind, it runs on at its own pace: it neither goes back nor
    /// stands still.
    func milliseconds() -> Int64 {
        let reading = read()
        return state.withLock { state in
            state.last = max(reading.wall, state.last + max(0, reading.uptime - state.uptime))
            state.uptime = max(state.uptime, reading.uptime)
            return state.last
        }
    }

    /// Seconds since 1970; never less than before.
    func seconds() -> Int64 { milliseconds() / 1000 }

    /// Milliseconds since 1970 by the clock at the start of this program, and the time that went by since: for what
    /// lasts so and so long. It does not leap when the real time becomes known, which would end a boot under way.
    func lifetimeMilliseconds() -> Int64 {
        let reading = read()
        return state.withLock { $0.start.wall + max(0, reading.uptime - $0.start.uptime) }
    }

    /// The same in seconds.
    func lifetimeSeconds() -> Int64 { lifetimeMilliseconds() / 1000 }

    /// Seconds since the machine started: nothing but time moves it.
    func uptimeSeconds() -> Int64 { read().uptime / 1000 }

    /// From now on the time is later than `stored`, in milliseconds since 1970.
    func start(after stored: Int64) {
        let reading = read()
        state.withLock { state in
            if stored >= state.last {
                state.last = stored + 1
                state.uptime = reading.uptime
            }
            let behind = stored + 1 - (state.start.wall + max(0, reading.uptime - state.start.uptime))
            if behind > 0 { state.start.wall += behind }
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
