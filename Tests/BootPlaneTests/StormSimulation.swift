import BootPlane
import Site

/// A rack that is switched on at once, on one link that all machines share evenly, as TCP does; in simulated time.
struct StormSimulation {
    struct Storm {
        var machines: Int
        /// Bytes in a second of the link, and of one machine's card.
        var link: Double
        var card: Double = 125e6
        /// Kernel and initrd.
        var bytes: Int64 = 68_000_000
        /// Milliseconds over which machines come: firmware takes its time, not the same for all.
        var spread: Int64 = 30_000
        /// Milliseconds after which a machine gives up a load and begins anew; nil: never.
        var patience: Int64?
        /// nil: no admission control.
        var budget: BootBudget?
    }

    struct Result {
        /// Milliseconds from the start to the end of each machine's load, in order.
        var ends: [Int64] = []
        var median: Int64 { ends.isEmpty ? .max : ends[ends.count / 2] }
        var last: Int64 { ends.last ?? .max }
    }

    private enum Event {
        case ask
        case giveUp(load: Int)
    }

    private let storm: Storm
    private var control = AdmissionControl()
    private var events: Heap<Event>
    /// By the service that each still running load ends at: all get the same, so one number tells how far each is.
    private var loads = Heap<Int>()
    private var running: [Int: Int] = [:]
    private var service = 0.0
    private var now = 0.0
    private var nextLoad = 0
    private var result = Result()

    /// - Returns: the ends of all machines that had one within `limit` milliseconds.
    static func run(_ storm: Storm, limit: Double) -> Result {
        var simulation = StormSimulation(storm)
        while let next = simulation.next(), next <= limit { simulation.step(to: next) }
        simulation.result.ends.sort()
        return simulation.result
    }

    private init(_ storm: Storm) {
        self.storm = storm
        events = Heap()
        for number in 0..<storm.machines {
            events.push(.ask, number, at: Double(storm.spread) * Double(number) / Double(storm.machines))
        }
    }

    /// Bytes in a millisecond for each load.
    private var rate: Double { min(storm.link / Double(max(1, running.count)), storm.card) / 1000 }

    private mutating func next() -> Double? {
        // Loads that were given up are still in the heap.
        while let first = loads.first, running[first.machine] != first.value { loads.pop() }
        let end = loads.first.map { now + max(0, $0.key - service) / rate }
        return [events.first?.key, end].compactMap(\.self).min()
    }

    private mutating func step(to time: Double) {
        service += (time - now) * rate
        let endsNow = loads.first.map { $0.key - service <= rate * 0.001 } ?? false
        now = time
        if endsNow, let load = loads.pop() {
            running[load.machine] = nil
            result.ends.append(Int64(now))
            control.transferEnded(Self.address(load.machine), now: Int64(now))
            control.loaded(Self.address(load.machine), bytes: storm.bytes, now: Int64(now))
        } else if let event = events.pop() {
            switch event.value {
            case .ask: ask(event.machine)
            case .giveUp(let load):
                guard running[event.machine] == load else { return }
                running[event.machine] = nil
                control.transferEnded(Self.address(event.machine), now: Int64(now))
                events.push(.ask, event.machine, at: now + 10_000)
            }
        }
    }

    private mutating func ask(_ machine: Int) {
        if let budget = storm.budget {
            let answer = control.ask(
                Self.address(machine), substrate: "a", bytes: storm.bytes, budget: budget, now: Int64(now))
            if case .wait(let seconds) = answer {
                return events.push(.ask, machine, at: now + Double(seconds) * 1000)
            }
            control.transferBegan(Self.address(machine), now: Int64(now))
        }
        nextLoad += 1
        running[machine] = nextLoad
        loads.push(nextLoad, machine, at: service + Double(storm.bytes))
        if let patience = storm.patience { events.push(.giveUp(load: nextLoad), machine, at: now + Double(patience)) }
    }

    private static func address(_ machine: Int) -> IPv4Address { IPv4Address(value: 0x0A00_0000 + UInt32(machine)) }
}

/// A binary heap: the least key first.
private struct Heap<Value> {
    private var items: [(key: Double, machine: Int, value: Value)] = []

    var first: (key: Double, machine: Int, value: Value)? { items.first }

    mutating func push(_ value: Value, _ machine: Int, at key: Double) {
        items.append((key, machine, value))
        var index = items.count - 1
        while index > 0, items[index].key < items[(index - 1) / 2].key {
            items.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    @discardableResult
    mutating func pop() -> (key: Double, machine: Int, value: Value)? {
        guard let first = items.first, let last = items.popLast() else { return nil }
        guard !items.isEmpty else { return first }
        items[0] = last
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < items.count && items[child].key < items[least].key
            {
                least = child
            }
            guard least != index else { return first }
            items.swapAt(index, least)
            index = least
        }
    }
}
