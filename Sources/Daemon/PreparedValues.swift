internal import BootPlane
internal import Synchronization

/// What takes a while to make, each once: whoever asks first has it made, by `jobs`, and whoever asks again soon gets it. What
/// was asked for least lately is dropped when there is too much.
final class PreparedValues<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// Seconds until something that could not be made is tried again: it may cost much.
    private static var pauseAfterFailure: Int64 { 10 }

    private enum Entry {
        case preparing
        case ready(Value, cost: Int64, lastUse: UInt64)
        /// Until then it is not tried again.
        case failed(until: Int64)
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var uses: UInt64 = 0
        var cost: Int64 = 0
    }

    private let capacity: Int64
    private let jobs: PreparationJobs
    private let clock: @Sendable () -> Int64
    private let cost: @Sendable (Value) -> Int64
    private let discard: @Sendable (Value) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - capacity: what all values may cost; the newest is kept whatever it costs.
    ///   - jobs: who makes them.
    ///   - clock: seconds that nothing sets back.
    ///   - cost: of one value.
    ///   - discard: called with each value that is dropped.
    init(
        capacity: Int64, jobs: PreparationJobs, clock: @escaping @Sendable () -> Int64,
        cost: @escaping @Sendable (Value) -> Int64 = { _ in 1 }, discard: @escaping @Sendable (Value) -> Void = { _ in }
    ) {
        self.capacity = capacity
        self.jobs = jobs
        self.clock = clock
        self.cost = cost
        self.discard = discard
    }

    /// Never waits. `make` runs at most once at a time for a key; its error is logged by `jobs`.
    func value(
        _ key: Key, make: @escaping @Sendable () async throws -> Value
    ) -> Preparation<Value> {
        let now = clock()
        let found = state.withLock { state -> Preparation<Value>? in
            switch state.entries[key] {
            case .ready(let value, let cost, _):
                state.uses += 1
                state.entries[key] = .ready(value, cost: cost, lastUse: state.uses)
                return .ready(value)
            case .preparing: return .preparing
            case .failed(let end) where now < end: return .failed
            case .failed, nil:
                state.entries[key] = .preparing
                return nil
            }
        }
        if let found { return found }
        let isTaken = jobs.add { [self] in
            do {
                keep(key, try await make())
            } catch {
                fail(key)
                throw error
            }
        }
        // Too much to do: whoever asks again may be luckier.
        if !isTaken { state.withLock { $0.entries[key] = nil } }
        return .preparing
    }

    private func keep(_ key: Key, _ value: Value) {
        let price = cost(value)
        let dropped = state.withLock { state -> [Value] in
            state.uses += 1
            state.cost += price
            state.entries[key] = .ready(value, cost: price, lastUse: state.uses)
            return trim(&state, sparing: key)
        }
        dropped.forEach(discard)
    }

    private func trim(_ state: inout State, sparing newest: Key) -> [Value] {
        var dropped: [Value] = []
        while state.cost > capacity {
            var oldest: (key: Key, value: Value, cost: Int64, lastUse: UInt64)?
            for case (let key, .ready(let value, let cost, let lastUse)) in state.entries
            where key != newest && lastUse < oldest?.lastUse ?? .max {
                oldest = (key, value, cost, lastUse)
            }
            guard let oldest else { break }
            state.entries[oldest.key] = nil
            state.cost -= oldest.cost
            dropped.append(oldest.value)
        }
        return dropped
    }

    private func fail(_ key: Key) {
        let now = clock()
        state.withLock { state in
            for case (let other, .failed(let end)) in state.entries where end <= now { state.entries[other] = nil }
            state.entries[key] = .failed(until: now + Self.pauseAfterFailure)
        }
    }
}
