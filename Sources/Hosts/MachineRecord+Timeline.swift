internal import Site

/// How a machine's timeline grows, and how it stays bounded.
extension MachineRecord {
    /// Events kept for each machine.
    package static let eventLimit = 500
    /// Lines of syslog among them: an installer that talks much must not push out how it was booted.
    package static let logLimit = 200
    /// Milliseconds within which the same question again is no new step.
    private static let repetition: Int64 = 5000

    /// Puts an event on the timeline.
    /// - Parameters:
    ///   - event: what happened.
    ///   - earlier: what happened at the same address before it was known to be this machine's.
    ///   - address: where the machine was seen; nil when the event does not say, which moves no address.
    ///   - figures: count what was added.
    /// - Returns: what was added; nothing where the event says only what the last one said.
    mutating func add(
        _ event: HostEvent, after earlier: [HostEvent], at address: IPv4Address?, counting figures: inout BootFigures
    ) -> [HostEvent] {
        lastSeen = event.time
        guard !repeatsLast(event, at: address) else { return [] }
        let added = earlier + [event]
        if let address { self.address = address }
        for event in added { figures.add(event, after: events) }
        events += added
        if event.kind == .log, events.count > Self.logLimit,
            events.count(where: { $0.kind == .log }) > Self.logLimit,
            let oldest = events.firstIndex(where: { $0.kind == .log })
        {
            events.remove(at: oldest)
        }
        events.removeFirst(max(0, events.count - Self.eventLimit))
        return added
    }

    /// A machine that waits asks every few seconds, and one that asks for its script again within seconds has not started
    /// anew: nobody fills a timeline by asking.
    private func repeatsLast(_ event: HostEvent, at address: IPv4Address?) -> Bool {
        guard let last = events.last, last.kind == event.kind, last.detail == event.detail,
            address == nil || self.address == address
        else { return false }
        switch event.kind {
        case .held: return true
        case .script, .refused, .failure: return (0..<Self.repetition).contains(event.time - last.time)
        default: return false
        }
    }
}
