/// Text from machines, made fit for a log, a terminal or a script.
package enum PrintableText {
    /// The same, but without a copy of nearly all there is: printable ASCII, short enough.
    package static func line(_ text: String, limit: Int = 400) -> String {
        let isPlain = text.utf8.withContiguousStorageIfAvailable { bytes in
            guard bytes.count <= limit else { return false }
            for byte in bytes where byte < 32 || byte > 126 { return false }
            return true
        }
        return isPlain == true ? text : line(text[...], limit: limit)
    }

    /// One line: control characters (C0, DEL, C1, which terminals act on) and line separators become `?`; at most
    /// `limit` characters.
    package static func line(_ text: some StringProtocol, limit: Int = 400) -> String {
        String(text.unicodeScalars.prefix(limit).map { isSafe($0) ? Character($0) : "?" })
    }

    private static func isSafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<32, 127..<160, 0x2028, 0x2029, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: false
        default: true
        }
    }
}
