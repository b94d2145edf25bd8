/// Which piece of a whole a body is: `FIRST-LAST`, the form of the OCI Distribution specification 1.1 ("Pushing a blob in
/// chunks"), or `bytes FIRST-LAST/TOTAL` (RFC 9110 section 14.4).
package struct HTTPContentRange: Hashable, Sendable {
    /// Offsets of the first and the last byte.
    package let first: Int64
    package let last: Int64

    /// nil for any other form, and for an end before the start.
    package init?(header: String) {
        let range = header.hasPrefix("bytes ") ? header.dropFirst(6) : Substring(header)
        let ends = range.prefix { $0 != "/" }.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Int64(ends[0]), let last = Int64(ends[1]), first >= 0, last >= first else {
            return nil
        }
        self.first = first
        self.last = last
    }

    /// Bytes; nil for more than `Int64` holds.
    package var length: Int64? {
        let (length, overflow) = (last - first).addingReportingOverflow(1)
        return overflow ? nil : length
    }
}
