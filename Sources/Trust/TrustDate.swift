internal import Glibc

/// Dates of keys: `2027-12-31`, or as ssh-keygen writes them, `YYYYMMDD` and `YYYYMMDDHHMM[SS]`, with or without a `Z`. All
/// are UTC: a server's time zone decides nothing.
package enum TrustDate {
    /// Seconds since 1970; nil for a text of another form, and for a day or hour that does not exist.
    package static func seconds(_ text: String) -> Int64? {
        var digits = text.hasSuffix("Z") ? String(text.dropLast()) : text
        let dashed = digits.split(separator: "-", omittingEmptySubsequences: false)
        if dashed.count == 3, dashed.map(\.count) == [4, 2, 2] { digits = dashed.joined() }
        guard [8, 12, 14].contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        digits += String(repeating: "0", count: 14 - digits.count)
        func number(_ start: Int, _ count: Int) -> Int32 { Int32(digits.dropFirst(start).prefix(count)) ?? 0 }
        var time = tm()
        time.tm_year = number(0, 4) - 1900
        time.tm_mon = number(4, 2) - 1
        time.tm_mday = number(6, 2)
        time.tm_hour = number(8, 2)
        time.tm_min = number(10, 2)
        time.tm_sec = number(12, 2)
        let (month, day, hour, minute) = (time.tm_mon, time.tm_mday, time.tm_hour, time.tm_min)
        let seconds = timegm(&time)
        // It makes 2 March of 30 February.
        guard (month, day, hour, minute) == (time.tm_mon, time.tm_mday, time.tm_hour, time.tm_min) else { return nil }
        return Int64(seconds)
    }

    /// `2027-12-31T23:59:00Z`.
    package static func text(_ seconds: Int64) -> String {
        var value = time_t(seconds)
        var time = tm()
        guard gmtime_r(&value, &time) != nil else { return "\(seconds)" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(time.tm_year + 1900)-\(two(time.tm_mon + 1))-\(two(time.tm_mday))T\(two(time.tm_hour)):\(two(time.tm_min)):\(two(time.tm_sec))Z"
    }
}
