package import Artifacts
package import Boot
package import Site
internal import Synchronization

/// What happened to every machine. Reads and notes are answered from memory and never wait for the disk; a writer
/// stores them behind. Only an installation report and an arming wait until they are durable, because what a machine
/// boots next depends on them.
package final class HostLedger: InstallationReading {
    /// Events kept for each machine, and lines of syslog among them.
    package static let eventLimit = MachineRecord.eventLimit
    package static let logLimit = MachineRecord.logLimit
    /// Machines kept: discovered ones beyond it replace the longest unseen.
    package static let machineLimit = 20_000
    /// Events kept for addresses whose machine is not known yet.
    private static let orphanLimit = 64
    private static let orphanAddressLimit = 1024
    /// Milliseconds that the stored time of the last sight may be behind.
    package static let seenInterval: Int64 = 60_000
    /// Events that wait for the writer; when it cannot keep up, the oldest go.
    private static let unwrittenLimit = 100_000

    /// A machine, with all that is looked up with it: a request that repeats finds its machine once.
    struct Machine {
        var record: MachineRecord
        /// What it was told to boot.
        var plan: BootPlan?
        /// It is in `changed`.
        var isChanged = false
        /// When it was seen last, as it is stored; nil when it is not.
        var storedSeen: Int64?
    }

    struct State {
        var machines: [MACAddress: Machine] = [:]
        var macByAddress: [IPv4Address: MACAddress] = [:]
        var orphans: [IPv4Address: [HostEvent]] = [:]
        var marks: [String: HostDatabase.Mark] = [:]
        /// From the site file.
        var hostByMAC: [MACAddress: String] = [:]
        /// Those that the writer has to store.
        var changed: [MACAddress] = []
        var evicted: Set<MACAddress> = []
        var unwritten: [(MACAddress, HostEvent)] = []
        var figures = BootFigures()

        mutating func markChanged(_ place: Dictionary<MACAddress, Machine>.Index) {
            guard !machines.values[place].isChanged else { return }
            machines.values[place].isChanged = true
            changed.append(machines.keys[place])
        }
    }

    let database: HostDatabase
    let key: AuthenticationKey
    let clock: @Sendable () -> Int64
    let lifetimeClock: @Sendable () -> Int64
    private let machineLimit: Int
    let state: Mutex<State>
    /// Beside the state: every request for a script asks for it.
    let generation = Atomic<UInt64>(0)
    /// Held from the check of a host's mark to its change: an arming must not vanish under a report.
    let marking = Mutex(())
    /// Held while the database is written: batches go in as they were taken.
    private let writing = Mutex(())

    /// - Parameters:
    ///   - path: the SQLite file.
    ///   - key: authenticates per-boot tokens; the same after a restart.
    ///   - machineLimit: machines kept.
    ///   - clock: milliseconds since 1970.
    ///   - lifetimeClock: the same, but never leaping when the time becomes known; nil: `clock`. Tokens age by it.
    /// - Throws: `HostsError` when the database cannot be opened.
    package init(
        path: String, key: AuthenticationKey, machineLimit: Int = HostLedger.machineLimit,
        clock: @escaping @Sendable () -> Int64, lifetimeClock: (@Sendable () -> Int64)? = nil
    ) throws(HostsError) {
        self.key = key
        self.machineLimit = machineLimit
        self.clock = clock
        self.lifetimeClock = lifetimeClock ?? clock
        do {
            database = try HostDatabase(path: path)
            var state = State()
            for machine in try database.machines(eventLimit: Self.eventLimit) {
                state.machines[machine.mac] = Machine(record: machine, storedSeen: machine.lastSeen)
                if let address = machine.address { state.macByAddress[address] = machine.mac }
            }
            for mark in try database.marks() { state.marks[mark.host] = mark }
            self.state = Mutex(state)
        } catch {
            throw HostsError(.failure, "the hosts database \(path) cannot be opened", cause: error)
        }
    }

    package func isInstalled(host: String) -> Bool { state.withLock { $0.marks[host]?.installedAt != nil } }

    /// Changes whenever `isInstalled` of any host may.
    package var markGeneration: UInt64 { generation.load(ordering: .acquiring) }

    /// Every machine that was seen, in the order of their MACs.
    package var machines: [MachineRecord] {
        // Sorted outside the lock: boot requests take it too.
        let machines = state.withLock { $0.machines.values.map(\.record) }
        return machines.sorted { $0.mac < $1.mac }
    }

    /// The machines that were seen last, the newest first.
    package func newestMachines(_ count: Int) -> [MachineRecord] {
        let machines = state.withLock { $0.machines.values.map(\.record) }
        return Array(machines.sorted { ($1.lastSeen, $0.mac) < ($0.lastSeen, $1.mac) }.prefix(count))
    }

    /// Milliseconds since 1970, by the clock that events are noted by.
    package var now: Int64 { clock() }

    /// Counts since the start of the program.
    package var figures: BootFigures { state.withLock { $0.figures } }

    /// The time of the newest event, in milliseconds since 1970; nil when there is none.
    package var newestEventTime: Int64? { state.withLock { $0.machines.values.lazy.map(\.record.lastSeen).max() } }

    /// The machine that an address belongs to, as far as DHCP, a script request or the site file told.
    package func mac(at address: IPv4Address) -> MACAddress? { state.withLock { $0.macByAddress[address] } }

    /// The host of the site file that an address belongs to, as far as `mac(at:)` is known.
    package func host(at address: IPv4Address) -> String? {
        state.withLock { state in
            state.macByAddress[address].flatMap { state.hostByMAC[$0] ?? state.machines[$0]?.record.host }
        }
    }

    /// When the host reported that it is installed; milliseconds since 1970.
    package func installedAt(host: String) -> Int64? { state.withLock { $0.marks[host]?.installedAt } }

    /// When an operator armed the host last; milliseconds since 1970.
    package func armedAt(host: String) -> Int64? { state.withLock { $0.marks[host]?.armedAt } }

    /// Learns fixed addresses from the site file, so that a machine is known before its first script.
    package func adopt(site: Site) {
        state.withLock { state in
            state.hostByMAC = [:]
            for host in site.hosts {
                for interface in host.interfaces {
                    state.hostByMAC[interface.mac] = host.name
                    if case .fixed(let address) = interface.address { state.macByAddress[address] = interface.mac }
                    if let place = state.machines.index(forKey: interface.mac),
                        state.machines.values[place].record.host != host.name
                    {
                        state.machines.values[place].record.host = host.name
                        state.markChanged(place)
                    }
                }
            }
            // A host without interfaces is known by what it pins, so its machine keeps its name.
            let pinned = Set(site.hosts.filter(\.interfaces.isEmpty).map(\.name))
            for mac in Array(state.machines.keys) where state.hostByMAC[mac] == nil {
                guard let place = state.machines.index(forKey: mac),
                    let host = state.machines.values[place].record.host, !pinned.contains(host)
                else { continue }
                state.machines.values[place].record.host = nil
                state.markChanged(place)
            }
        }
    }

    /// Notes a DHCP exchange.
    package func noteDHCP(
        mac: MACAddress, address: IPv4Address?, vendorClass: String?, detail: String, host: String?
    ) {
        note(mac: mac, at: address, HostEvent(kind: .dhcp, detail: detail, time: clock())) { machine in
            if let vendorClass { machine.record.vendorClass = vendorClass }
            if let host { machine.record.host = host }
            return true
        }
    }

    /// Notes what a machine was told, and what it will therefore fetch.
    package func noteScript(_ request: BootRequest, decision: BootDecision, detail: String) {
        guard let mac = request.mac else { return }
        let kind: HostEvent.Kind =
            switch decision.outcome {
            case .boot, .localDisk: .script
            case .hold: .held
            case .refuse: .refused
            }
        let event = HostEvent(kind: kind, detail: detail, time: clock())
        state.withLock { append(event, to: mac, at: request.address, &$0) { Self.learn(request, decision, &$0) } }
    }

    /// What a machine says of itself when it asks for its script. True where it said something new.
    private static func learn(_ request: BootRequest, _ decision: BootDecision, _ machine: inout Machine) -> Bool {
        machine.plan = if case .boot(let plan) = decision.outcome { plan } else { nil }
        var isNew = false
        func set(_ field: WritableKeyPath<MachineRecord, String?>, _ value: String?, in record: inout MachineRecord) {
            guard record[keyPath: field] != value else { return }
            record[keyPath: field] = value
            isNew = true
        }
        // A machine that was refused only claims to be the host.
        let isRefused = if case .refuse = decision.outcome { true } else { false }
        if !isRefused { set(\.host, decision.host, in: &machine.record) }
        if let uuid = request.uuid { set(\.uuid, uuid, in: &machine.record) }
        if let serial = request.serial { set(\.serial, serial, in: &machine.record) }
        if let architecture = request.architecture {
            set(\.architecture, architecture.rawValue, in: &machine.record)
        }
        if let platform = request.platform { set(\.platform, platform, in: &machine.record) }
        return isNew
    }

    /// Notes something that only an address is known of. Until its machine is known, the newest few are kept and then
    /// put on the machine's timeline.
    package func note(address: IPv4Address, kind: HostEvent.Kind, detail: String, bytes: Int64? = nil) {
        let event = HostEvent(kind: kind, detail: detail, time: clock(), bytes: bytes)
        state.withLock { state in
            if let mac = state.macByAddress[address] {
                append(event, to: mac, at: address, &state)
                return
            }
            if state.orphans[address] == nil, state.orphans.count >= Self.orphanAddressLimit {
                // The address that was silent the longest gives way: forged ones must not keep others out for ever.
                let oldest = state.orphans.min { $0.value.last?.time ?? 0 < $1.value.last?.time ?? 0 }
                if let oldest { state.orphans[oldest.key] = nil }
            }
            state.orphans[address, default: []].append(event)
            if state.orphans[address, default: []].count > Self.orphanLimit { state.orphans[address]?.removeFirst() }
        }
    }

    /// Notes that a machine fetched a file of an artifact: its kernel, an initrd, or another one.
    package func noteFile(address: IPv4Address, reference: FileReference, bytes: Int64) {
        let plan = state.withLock { state in state.macByAddress[address].flatMap { state.machines[$0]?.plan } }
        let kind: HostEvent.Kind =
            if plan?.kernel.reference == reference {
                .kernel
            } else if plan?.initrds.contains(where: {
                $0.reference == reference
            }) == true { .initrd } else { .file }
        note(address: address, kind: kind, detail: reference.description, bytes: bytes)
    }

    private func note(
        mac: MACAddress, at address: IPv4Address?, _ event: HostEvent, _ change: (inout Machine) -> Bool
    ) {
        state.withLock { append(event, to: mac, at: address, &$0, change) }
    }

    /// Puts an event on a machine's timeline. `address` is where the machine was seen; nil when the event does not say,
    /// which moves no address: the machine's last one may be another's by now.
    func append(
        _ event: HostEvent, to mac: MACAddress, at address: IPv4Address?, _ state: inout State,
        _ change: (inout Machine) -> Bool = { _ in false }
    ) {
        let orphans = state.orphans.isEmpty ? [] : address.flatMap { state.orphans[$0] } ?? []
        // In place, and found once: a copy of a machine would be one of its whole timeline.
        let place = state.machines.index(forKey: mac) ?? insert(mac, at: event.time, &state)
        let isNew = change(&state.machines.values[place])
        let added = state.machines.values[place].record.add(
            event, after: orphans, at: address, counting: &state.figures)
        // Who only asks again is not written each time: thousands may.
        let isStale = state.machines.values[place].storedSeen.map { abs(event.time - $0) >= Self.seenInterval } ?? true
        if isNew || !added.isEmpty || isStale { state.markChanged(place) }
        guard !added.isEmpty else { return }
        if let address {
            state.macByAddress[address] = mac
            if !orphans.isEmpty { state.orphans[address] = nil }
        }
        state.unwritten += added.map { (mac, $0) }
        if state.unwritten.count > Self.unwrittenLimit { state.unwritten.removeFirst(Self.unwrittenLimit / 2) }
    }

    private func insert(_ mac: MACAddress, at time: Int64, _ state: inout State)
        -> Dictionary<MACAddress, Machine>.Index
    {
        if state.machines.count >= machineLimit { evict(&state) }
        let record = MachineRecord(
            mac: mac, host: state.hostByMAC[mac], firstSeen: time, lastSeen: time, events: [])
        state.machines[mac] = Machine(record: record)
        return state.machines.index(forKey: mac) ?? state.machines.startIndex
    }

    /// Forgets discovered machines that were not seen for the longest time, here and with the next flush on disk: a
    /// hundredth of the limit at once, so that a flood of new MACs does not sort all machines for each.
    private func evict(_ state: inout State) {
        let strangers = state.machines.values.lazy.map(\.record).filter { $0.host == nil }
        let gone = strangers.sorted { $0.lastSeen < $1.lastSeen }.prefix(max(1, machineLimit / 100))
        for machine in gone {
            state.machines[machine.mac] = nil
            if let address = machine.address, state.macByAddress[address] == machine.mac {
                state.macByAddress[address] = nil
            }
            state.evicted.insert(machine.mac)
        }
        let macs = Set(gone.map(\.mac))
        state.changed.removeAll { macs.contains($0) }
        state.unwritten.removeAll { macs.contains($0.0) }
    }

    /// Stores what was noted since the last call, in one transaction. After a failure it is kept for the next.
    /// - Throws: `HostsError` `failure`.
    package func flush() throws(HostsError) { try writing.withLock { _ throws(HostsError) in try write() } }

    private func write() throws(HostsError) {
        let (machines, events, evicted) = state.withLock { state in
            defer {
                state.changed = []
                state.unwritten = []
                state.evicted = []
            }
            let changed = state.changed.compactMap { mac in
                state.machines.index(forKey: mac).map { place in
                    state.machines.values[place].isChanged = false
                    state.machines.values[place].storedSeen = state.machines.values[place].record.lastSeen
                    return state.machines.values[place].record
                }
            }
            return (changed, state.unwritten, state.evicted)
        }
        guard !machines.isEmpty || !evicted.isEmpty else { return }
        do {
            try database.store(
                machines: machines, events: events, without: evicted, eventLimit: Self.eventLimit,
                logLimit: Self.logLimit)
        } catch {
            state.withLock { state in
                for machine in machines {
                    if let place = state.machines.index(forKey: machine.mac) { state.markChanged(place) }
                }
                state.evicted.formUnion(evicted)
                // What cannot be written does not grow without bound.
                state.unwritten = Array((events + state.unwritten).suffix(10_000))
            }
            throw HostsError(.failure, "the hosts database cannot be written", cause: error)
        }
    }
}
