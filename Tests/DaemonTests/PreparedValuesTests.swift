import BootPlane
import Logging
import Synchronization
import Testing

@testable import Daemon

/// What is made beside the boot plane.
@Suite struct PreparedValuesTests {
    private struct Failure: Error {}

    private static func ready(_ preparation: Preparation<Int>) -> Int? {
        if case .ready(let value) = preparation { value } else { nil }
    }

    private static func isFailed(_ preparation: Preparation<Int>) -> Bool {
        if case .failed = preparation { true } else { false }
    }

    /// Asks until there is an answer.
    private static func settled(
        _ values: PreparedValues<String, Int>, _ key: String, make: @escaping @Sendable () async throws -> Int
    ) async throws -> Preparation<Int> {
        while true {
            let found = values.value(key, make: make)
            guard case .preparing = found else { return found }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    private static func with(
        capacity: Int64 = 10, discard: @escaping @Sendable (Int) -> Void = { _ in },
        _ body: (PreparedValues<String, Int>, Clock) async throws -> Void
    ) async throws {
        let clock = Clock()
        let jobs = PreparationJobs(logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let values = PreparedValues<String, Int>(
            capacity: capacity, jobs: jobs, clock: { clock.seconds.withLock { $0 } }, cost: { Int64($0) },
            discard: discard)
        let working = Task { await jobs.run() }
        defer { working.cancel() }
        try await body(values, clock)
    }

    private final class Clock: Sendable { let seconds = Mutex<Int64>(0) }

    @Test func isMadeOnceHoweverManyAsk() async throws {
        try await Self.with { values, _ in
            let made = Values()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        let value = try await Self.settled(values, "a") {
                            made.list.withLock { $0.append(7) }
                            try await Task.sleep(for: .milliseconds(20))
                            return 7
                        }
                        #expect(Self.ready(value) == 7)
                    }
                }
                try await group.waitForAll()
            }
            #expect(made.list.withLock { $0 } == [7])
        }
    }

    @Test func aFailureIsNotTriedAgainAtOnce() async throws {
        try await Self.with { values, clock in
            let first = try await Self.settled(values, "a") { throw Failure() }
            #expect(Self.isFailed(first))
            #expect(Self.isFailed(values.value("a") { 1 }))
            clock.seconds.withLock { $0 = 10 }
            #expect(Self.ready(try await Self.settled(values, "a") { 1 }) == 1)
        }
    }

    @Test func theLeastLatelyUsedIsDroppedWhenThereIsTooMuch() async throws {
        let dropped = Values()
        let discard: @Sendable (Int) -> Void = { value in dropped.list.withLock { $0.append(value) } }
        try await Self.with(discard: discard) { values, _ in
            for (key, size) in [("a", 4), ("b", 5)] { _ = try await Self.settled(values, key) { size } }
            #expect(Self.ready(values.value("a") { 0 }) == 4)
            _ = try await Self.settled(values, "c") { 6 }
            #expect(dropped.list.withLock { $0 } == [5])
            // One that is larger than all that there is room for.
            _ = try await Self.settled(values, "d") { 100 }
            #expect(dropped.list.withLock { $0.sorted() } == [4, 5, 6])
            #expect(Self.ready(values.value("d") { 0 }) == 100)
        }
    }

    private final class Values: Sendable { let list = Mutex<[Int]>([]) }
}
