import Synchronization
import Testing

@testable import Daemon

@Suite struct SteadyClockTests {
    private final class Fake: Sendable {
        let reading = Mutex(SteadyClock.Reading(wall: 0, uptime: 0))
        func set(wall: Int64, uptime: Int64) { reading.withLock { $0 = .init(wall: wall, uptime: uptime) } }
        var clock: SteadyClock { SteadyClock(read: { self.reading.withLock { $0 } }) }
    }

    @Test func followsARealClock() {
        let fake = Fake()
        let clock = fake.clock
        fake.set(wall: 5000, uptime: 10)
        #expect(clock.milliseconds() == 5000)
        fake.set(wall: 7500, uptime: 2510)
        #expect(clock.milliseconds() == 7500)
        #expect(clock.seconds() == 7)
    }

    @Test func withoutABatteryItGoesOnAfterWhatWasStored() {
        let fake = Fake()
        let clock = fake.clock
        fake.set(wall: 100, uptime: 100)
        clock.start(after: 1_000_000)
        #expect(clock.milliseconds() == 1_000_001)
        fake.set(wall: 2100, uptime: 2100)
        #expect(clock.milliseconds() == 1_002_001)
        // The real time becomes known.
        fake.set(wall: 9_000_000, uptime: 3000)
        #expect(clock.milliseconds() == 9_000_000)
    }

    @Test func neverGoesBack() {
        let fake = Fake()
        let clock = fake.clock
        fake.set(wall: 9000, uptime: 1)
        #expect(clock.milliseconds() == 9000)
        fake.set(wall: 10, uptime: 2)
        #expect(clock.milliseconds() == 9001)
        clock.start(after: 20)
        #expect(clock.milliseconds() == 9001)
    }

    @Test func runsOnWhileTheRealTimeIsBehind() {
        let fake = Fake()
        let clock = fake.clock
        fake.set(wall: 9000, uptime: 100)
        #expect(clock.milliseconds() == 9000)
        fake.set(wall: 2000, uptime: 600)
        #expect(clock.milliseconds() == 9500)
        fake.set(wall: 2400, uptime: 1000)
        #expect(clock.milliseconds() == 9900)
    }

    /// A token that was issued before the time became known is as old as it is, and not years older.
    @Test func lifetimesDoNotLeap() {
        let fake = Fake()
        fake.set(wall: 1000, uptime: 10)
        let clock = fake.clock
        clock.start(after: 50_000)
        #expect(clock.lifetimeMilliseconds() == 50_001)
        fake.set(wall: 900_000_000, uptime: 1010)
        #expect(clock.lifetimeMilliseconds() == 51_001)
        #expect(clock.milliseconds() == 900_000_000)
        fake.set(wall: 5, uptime: 2010)
        #expect(clock.lifetimeMilliseconds() == 52_001)
    }

    @Test func manyStoredTimesCountByTheNewest() {
        let fake = Fake()
        let clock = fake.clock
        clock.start(after: 500)
        clock.start(after: 300)
        #expect(clock.milliseconds() == 501)
    }
}
