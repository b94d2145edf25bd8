/// What happened to all machines since the program started, counted for monitoring.
package struct BootFigures: Hashable, Sendable {
    /// How long steps took, in classes.
    package struct Durations: Hashable, Sendable {
        /// Seconds, the upper bounds of the classes; longer ones are in none.
        package static let bounds: [Double] = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800]

        /// By class, each with those of the classes before it, as Prometheus has them.
        package private(set) var counts = [Int64](repeating: 0, count: bounds.count)
        package private(set) var count: Int64 = 0
        package private(set) var milliseconds: Int64 = 0

        mutating func add(_ milliseconds: Int64) {
            count += 1
            self.milliseconds += milliseconds
            for (index, bound) in Self.bounds.enumerated() where Double(milliseconds) <= bound * 1000 {
                counts[index] += 1
            }
        }
    }

    /// A step that comes this long after the one before, in milliseconds, is of another boot.
    private static let longestStep: Int64 = 3_600_000

    package private(set) var durations: [BootRecord.Phase: Durations] = [:]
    package private(set) var events: [HostEvent.Kind: Int64] = [:]
    /// Bytes of what was loaded, by the kind of its event.
    package private(set) var bytes: [HostEvent.Kind: Int64] = [:]

    /// Counts an event of a machine whose timeline so far this is.
    mutating func add(_ event: HostEvent, after timeline: [HostEvent]) {
        events[event.kind, default: 0] += 1
        if let bytes = event.bytes, bytes > 0 { self.bytes[event.kind, default: 0] += bytes }
        guard let phase = BootRecord.Phase(event),
            let last = timeline.last(where: { BootRecord.Phase($0) != nil }), let before = BootRecord.Phase(last),
            before <= phase, (0...Self.longestStep).contains(event.time - last.time)
        else { return }
        durations[phase, default: Durations()].add(event.time - last.time)
    }
}
