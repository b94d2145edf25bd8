package import Boot
package import Site

/// Whose turn it is to load: so many machines of a substrate at once, in the order in which they came, so that the first ones
/// run while the last ones wait, instead of all loading at a crawl and many giving up. No sockets and no clock: times are
/// milliseconds of any steady one.
package struct AdmissionControl: Sendable {
    /// Milliseconds that an admitted machine may load nothing before its place is given on.
    package static let patience: Int64 = 60_000
    /// Milliseconds within which a question gets the answer of the one before: a loader asks for its configuration and for the
    /// signature over it, and both must fit together.
    package static let repetition: Int64 = 800
    /// Seconds that a machine is told to wait: for the next in turn, so that a free place is soon taken; and for the last.
    package static let waits = 1...30

    /// Machines that are known at once, more than a site has.
    package static let machineLimit = 20_000

    package enum Answer: Hashable, Sendable {
        case admitted
        /// Ask again after so many seconds.
        case wait(seconds: Int)
    }

    private struct Place {
        let substrate: String
        var bytesLeft: Int64
        var transfers = 0
        var lastProgress: Int64
    }

    private struct Ticket {
        let substrate: String
        var lastAsked: Int64
        var seconds: Int
        /// Tickets of lower numbers are before it.
        let number: UInt64
    }

    /// What is known of a substrate without looking at all of its machines.
    private struct Line {
        var places = 0
        var bytesLeft: Int64 = 0
        /// Its tickets by number, in order, with what each is to load.
        var waiting: [(number: UInt64, bytes: Int64)] = []

        /// How many tickets are before a number.
        func before(_ number: UInt64) -> Int {
            var range = 0..<waiting.count
            while !range.isEmpty {
                let middle = (range.lowerBound + range.upperBound) / 2
                range = waiting[middle].number < number ? middle + 1..<range.upperBound : range.lowerBound..<middle
            }
            return range.lowerBound
        }
    }

    private var lines: [String: Line] = [:]
    private var places: [IPv4Address: Place] = [:]
    private var tickets: [IPv4Address: Ticket] = [:]
    private var nextNumber: UInt64 = 0
    /// Every two seconds is enough: to look at all of them at each question would take long where thousands wait.
    private var nextExpiry: Int64 = .min

    package init() {}

    /// A machine asks what to load.
    /// - Parameters:
    ///   - machine: where it is.
    ///   - substrate: whose budget counts.
    ///   - bytes: of all that it will load now.
    ///   - budget: of that substrate.
    ///   - now: milliseconds.
    /// - Returns: whether it may; a machine that may keeps its place until it has loaded as many bytes, or stopped.
    package mutating func ask(
        _ machine: IPv4Address, substrate: String, bytes: Int64, budget: BootBudget, now: Int64
    ) -> Answer {
        expire(now)
        if places[machine] != nil {
            admit(machine, substrate: substrate, bytes: bytes, now: now)
            return .admitted
        }
        if let ticket = tickets[machine], now - ticket.lastAsked < Self.repetition {
            return .wait(seconds: ticket.seconds)
        }
        // Plugged in elsewhere, it begins anew.
        if tickets[machine].map({ $0.substrate != substrate }) == true { forgetTicket(machine) }
        let line = lines[substrate] ?? Line()
        let number = tickets[machine]?.number ?? nextNumber
        let before = line.before(number)
        let free = budget.machines - line.places
        // Those before it have their bytes first: a large one must not wait for ever while small ones pass. What is larger than the
        // budget goes alone.
        let ahead = line.waiting.prefix(before < free ? before : 0).reduce(line.bytesLeft) { $0 + $1.bytes }
        if before < free, ahead == 0 || ahead + bytes <= budget.bytes {
            admit(machine, substrate: substrate, bytes: bytes, now: now)
            return .admitted
        }
        // Somebody forges addresses, and machines are better served without an order than by a list of them.
        guard tickets[machine] != nil || isRoom else { return .admitted }
        if tickets[machine] == nil {
            lines[substrate, default: Line()].waiting.append((number, bytes))
            nextNumber += 1
        }
        let seconds = min(
            Self.waits.upperBound, Self.waits.lowerBound + max(0, before - free) / max(1, budget.machines))
        tickets[machine] = Ticket(substrate: substrate, lastAsked: now, seconds: seconds, number: number)
        return .wait(seconds: seconds)
    }

    /// A machine that cannot wait loads, whether there is a place or not: firmware which asks for its image gives up where it is
    /// refused. It counts, so that those who can wait do.
    package mutating func take(_ machine: IPv4Address, substrate: String, bytes: Int64, now: Int64) {
        expire(now)
        admit(machine, substrate: substrate, bytes: bytes, now: now)
    }

    private var isRoom: Bool { places.count + tickets.count < Self.machineLimit }

    private mutating func admit(_ machine: IPv4Address, substrate: String, bytes: Int64, now: Int64) {
        if var place = places[machine] {
            lines[place.substrate]?.bytesLeft += bytes - place.bytesLeft
            place.bytesLeft = bytes
            place.lastProgress = now
            places[machine] = place
            return
        }
        forgetTicket(machine)
        guard isRoom else { return }
        lines[substrate, default: Line()].places += 1
        lines[substrate]?.bytesLeft += bytes
        places[machine] = Place(substrate: substrate, bytesLeft: bytes, lastProgress: now)
    }

    /// Of every substrate whose machines asked, in the order of their names.
    package mutating func queues(now: Int64) -> [BootQueue] {
        expire(now)
        return lines.map { BootQueue(substrate: $0.key, loading: $0.value.places, waiting: $0.value.waiting.count) }
            .sorted { $0.substrate < $1.substrate }
    }

    /// Seconds that a machine which waits has to go on waiting; nil when it does not wait.
    package func wait(of machine: IPv4Address) -> Int? { tickets[machine]?.seconds }

    /// A transfer to a machine begins: while one runs its place is kept.
    package mutating func transferBegan(_ machine: IPv4Address, now: Int64) {
        places[machine]?.transfers += 1
        places[machine]?.lastProgress = now
    }

    package mutating func transferEnded(_ machine: IPv4Address, now: Int64) {
        guard let place = places[machine] else { return }
        places[machine]?.transfers = max(0, place.transfers - 1)
        places[machine]?.lastProgress = now
    }

    /// A machine has loaded a file of its plan; with the last one its place is free.
    package mutating func loaded(_ machine: IPv4Address, bytes: Int64, now: Int64) {
        guard let place = places[machine] else { return }
        guard place.bytesLeft > bytes else { return giveUpPlace(machine) }
        lines[place.substrate]?.bytesLeft -= bytes
        places[machine]?.bytesLeft -= bytes
        places[machine]?.lastProgress = now
    }

    /// It boots something else, or runs.
    package mutating func left(_ machine: IPv4Address) {
        giveUpPlace(machine)
        forgetTicket(machine)
    }

    private mutating func giveUpPlace(_ machine: IPv4Address) {
        guard let place = places.removeValue(forKey: machine) else { return }
        lines[place.substrate]?.places -= 1
        lines[place.substrate]?.bytesLeft -= place.bytesLeft
    }

    private mutating func forgetTicket(_ machine: IPv4Address) {
        guard let ticket = tickets.removeValue(forKey: machine) else { return }
        let position = lines[ticket.substrate]?.before(ticket.number) ?? 0
        lines[ticket.substrate]?.waiting.remove(at: position)
    }

    /// Gives on the places of machines that stopped, and forgets those that no longer ask.
    private mutating func expire(_ now: Int64) {
        guard now >= nextExpiry else { return }
        nextExpiry = now + 2000
        for (machine, place) in places where place.transfers == 0 && now - place.lastProgress > Self.patience {
            giveUpPlace(machine)
        }
        for (machine, ticket) in tickets where now - ticket.lastAsked > Int64(ticket.seconds) * 3000 {
            forgetTicket(machine)
        }
    }
}
