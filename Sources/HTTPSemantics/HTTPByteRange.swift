/// A `Range` header against a size (RFC 9110 section 14.1.2).
package enum HTTPByteRange: Hashable, Sendable {
    case whole
    /// Offsets of the first and the last byte.
    case part(ClosedRange<Int64>)
    /// Several, in the order they were asked for; no two share a byte.
    case parts([ClosedRange<Int64>])
    case unsatisfiable

    /// A header that cannot be read, and one that asks for too much, is answered with the whole, as the RFC allows.
    /// - Parameters:
    ///   - header: its value; nil where there is none.
    ///   - size: bytes that there are.
    ///   - maximumParts: more than these, or two that share bytes, are asked for to make work (RFC 9110 section 17.15).
    package init(header: String?, size: Int64, maximumParts: Int = 1) {
        guard let header, header.lowercased().hasPrefix("bytes=") else {
            self = .whole
            return
        }
        // Lists may have empty elements (RFC 9110 section 5.6.1).
        let ranges = header.dropFirst("bytes=".count).split(separator: ",").filter { !$0.allSatisfy(Self.isBlank) }
        guard !ranges.isEmpty, ranges.count <= maximumParts else {
            self = .whole
            return
        }
        var parts: [ClosedRange<Int64>] = []
        for range in ranges {
            switch Self(range, size) {
            case .part(let part): parts.append(part)
            case .unsatisfiable: continue
            case .whole, .parts:
                self = .whole
                return
            }
        }
        let sorted = parts.sorted { $0.lowerBound < $1.lowerBound }
        let overlaps = zip(sorted, sorted.dropFirst()).contains { $0.overlaps($1) }
        switch parts.count {
        case 0: self = .unsatisfiable
        case 1: self = .part(parts[0])
        default: self = overlaps ? .whole : .parts(parts)
        }
    }

    /// One range.
    private init(_ specification: Substring, _ size: Int64) {
        let ends = specification.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2 else {
            self = .whole
            return
        }
        let first = ends[0].filter { !Self.isBlank($0) }
        let last = ends[1].filter { !Self.isBlank($0) }
        switch (Self.number(first), Self.number(last)) {
        case (nil, let count?) where first.isEmpty:
            self = count == 0 || size == 0 ? .unsatisfiable : .part(max(0, size - count)...size - 1)
        case (let start?, nil) where last.isEmpty:
            self = start < size ? .part(start...size - 1) : .unsatisfiable
        case (let start?, let end?) where start <= end:
            self = start < size ? .part(start...min(end, size - 1)) : .unsatisfiable
        default: self = .whole
        }
    }

    private static func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }

    /// Digits only; values beyond 63 bits count as the largest.
    private static func number(_ text: some StringProtocol) -> Int64? {
        guard !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Int64(text) ?? .max
    }
}
