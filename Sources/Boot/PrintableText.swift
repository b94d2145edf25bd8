/// Text from machines, made fit for a log, a terminal or a script.
package enum PrintableText {
    /// One line: control characters (C0, DEL, C1, which terminals act on) and line separators become `?`; at most
    /// `limit` characters.
    package static func line(_ text: some StringProtocol, limit: Int = 400) -> String {
        // Nearly all there is: printable ASCII, short enough.
        if text.utf8.count <= limit, text.utf8.allSatisfy({ (32..<127).contains($0) }) { return String(text) }
        return String(text.unicodeScalars.prefix(limit).map { isSafe($0) ? Character($0) : "?" })
    }

    private static func isSafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<32, 127..<160, 0x2028, 0x2029, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: false
        default: true
        }
    }
}
