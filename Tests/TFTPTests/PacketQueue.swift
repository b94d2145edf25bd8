/// Packets under way in the simulation, by the millisecond of their arrival and then by the order they were sent.
/// A wheel of buckets: every packet arrives less than `span` after it was sent.
struct PacketQueue {
    struct Packet {
        let bytes: [UInt8]
        let isForServer: Bool
        /// nil for the request port.
        let session: Int?
    }

    private static let span: Int64 = 1024
    private var buckets = [[Packet]](repeating: [], count: Int(span))
    /// All earlier buckets are empty.
    private var current: Int64 = 0
    /// The packet of the current bucket that comes next.
    private var cursor = 0
    private var count = 0

    /// When the next packet arrives; nil when none is under way.
    var nextTime: Int64? {
        guard count > 0 else { return nil }
        if cursor < buckets[Int(current % Self.span)].count { return current }
        var time = current + 1
        while buckets[Int(time % Self.span)].isEmpty { time += 1 }
        return time
    }

    /// - Precondition: no packet that arrives before `now` is left.
    mutating func add(_ packet: Packet, at time: Int64, now: Int64) {
        advance(to: now)
        precondition(time >= now && time < now + Self.span)
        buckets[Int(time % Self.span)].append(packet)
        count += 1
    }

    /// The packet that `nextTime` told of.
    mutating func removeFirst() -> Packet? {
        guard let nextTime else { return nil }
        advance(to: nextTime)
        cursor += 1
        count -= 1
        return buckets[Int(current % Self.span)][cursor - 1]
    }

    private mutating func advance(to time: Int64) {
        guard time > current else { return }
        buckets[Int(current % Self.span)].removeAll(keepingCapacity: true)
        cursor = 0
        current = time
    }
}
