/// A `Range` header against a size (RFC 9110 section 14.1.2). One range is honoured; several are answered with the
/// whole, as the RFC allows.
package enum HTTPByteRange: Hashable, Sendable {
    case whole
    /// Offsets of the first and the last byte.
    case part(ClosedRange<Int64>)
    case unsatisfiable

    package init(header: String?, size: Int64) {
        guard let header, header.lowercased().hasPrefix("bytes=") else {
            self = .whole
            return
        }
        let specification = header.dropFirst("bytes=".count)
        let ends = specification.split(separator: "-", omittingEmptySubsequences: false)
        guard !specification.contains(","), ends.count == 2 else {
            self = .whole
            return
        }
        let first = ends[0].filter { $0 != " " }
        let last = ends[1].filter { $0 != " " }
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

    /// Digits only; values beyond 63 bits count as the largest.
    private static func number(_ text: some StringProtocol) -> Int64? {
        guard !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Int64(text) ?? .max
    }
}
