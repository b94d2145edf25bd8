internal import Glibc

/// The machine's wall clock.
enum SystemClock {
    /// Milliseconds since 1970.
    static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Seconds since 1970.
    static func seconds() -> Int64 { milliseconds() / 1000 }
}
