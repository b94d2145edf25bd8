/// Finds the messages in a syslog stream over TCP (RFC 6587): counted ones (section 3.4.1), and lines (section 3.4.2), which
/// rsyslog sends. Holds at most one message: of a longer line only the beginning is given.
package struct SyslogFraming: Sendable {
    /// A count that no message has: the stream cannot be followed any more.
    package struct Unreadable: Error, Hashable, Sendable {}

    private enum Place: Hashable, Sendable {
        case start
        case count(Int)
        case counted(left: Int)
        case line
    }

    /// What a counted message may have, all but its beginning thrown away.
    private static let maximumCount = 65_536
    private var place = Place.start
    private var bytes: [UInt8] = []

    package init() {}

    /// The messages that end in these bytes, in their order.
    /// - Throws: `Unreadable`; the connection is of no use then.
    package mutating func take(_ new: some Sequence<UInt8>) throws(Unreadable) -> [[UInt8]] {
        var found: [[UInt8]] = []
        for byte in new {
            switch place {
            case .start:
                // Between messages there may be line ends, and the zeros of some senders.
                if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") || byte == 0 { continue }
                if (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(byte) {
                    place = .count(Int(byte - UInt8(ascii: "0")))
                } else {
                    place = .line
                    bytes.append(byte)
                }
            case .count(let count):
                if byte == UInt8(ascii: " ") {
                    place = .counted(left: count)
                } else {
                    guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { throw Unreadable() }
                    let more = count * 10 + Int(byte - UInt8(ascii: "0"))
                    guard more <= Self.maximumCount else { throw Unreadable() }
                    place = .count(more)
                }
            case .counted(let left):
                keep(byte)
                place = .counted(left: left - 1)
                if left == 1 { found.append(end()) }
            case .line:
                if byte == UInt8(ascii: "\n") || byte == 0 { found.append(end()) } else { keep(byte) }
            }
        }
        return found
    }

    /// The last line of a stream that ended, where it had no line end.
    package mutating func finish() -> [UInt8]? {
        guard place == .line else { return nil }
        return end()
    }

    private mutating func keep(_ byte: UInt8) {
        if bytes.count < SyslogMessage.maximumSize { bytes.append(byte) }
    }

    private mutating func end() -> [UInt8] {
        place = .start
        defer { bytes = [] }
        return bytes
    }
}
