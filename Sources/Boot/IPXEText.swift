internal import Artifacts

/// The one place that makes text safe for an iPXE script. iPXE expands `${...}` before it splits a line at white space
/// and has no quoting, so some words cannot be said at all (ipxe src/core/exec.c, `split_command`, `process_line`). It
/// knows bytes only, so nothing here goes by characters: a combining mark would hide a `#`, a space or a `${`.
enum IPXEText {
    /// A word of a command line. nil when iPXE would read it as anything but one word: white space, control
    /// characters, `${`, a command separator, or a comment.
    static func word(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, !isSyntax(bytes), bytes.allSatisfy({ $0 > 32 && $0 != 127 }),
            !bytes.indices.contains(where: { isExpansion(bytes, $0) })
        else { return nil }
        return text
    }

    /// Text for `echo` and comments: whatever could end the line or be expanded becomes `?`.
    static func message(_ text: String) -> String {
        let words = text.utf8.split(separator: UInt8(ascii: " ")).map { word -> [UInt8] in
            var bytes = word.map { $0 < 32 || $0 == 127 ? UInt8(ascii: "?") : $0 }
            for index in bytes.indices where isExpansion(bytes, index) { bytes[index] = UInt8(ascii: "?") }
            return isSyntax(bytes) ? [UInt8(ascii: "?")] : bytes
        }
        return String(decoding: Array(words.joined(separator: [UInt8(ascii: " ")])), as: UTF8.self)
    }

    /// Whether `${` is there.
    private static func isExpansion(_ bytes: [UInt8], _ index: Int) -> Bool {
        bytes[index] == UInt8(ascii: "$") && index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "{")
    }

    /// Whether iPXE reads a word as the end of a command: a separator, or the start of a comment.
    private static func isSyntax(_ word: [UInt8]) -> Bool {
        switch word.count {
        case 0: false
        case 1 where word[0] == UInt8(ascii: ";"): true
        case 2 where word[0] == word[1] && (word[0] == UInt8(ascii: "|") || word[0] == UInt8(ascii: "&")): true
        default: word[0] == UInt8(ascii: "#")
        }
    }

    /// The path of an artifact's file, percent-encoded but for unreserved characters and those that the namespace uses
    /// (RFC 3986 section 3.3).
    static func path(_ reference: FileReference) -> String {
        var bytes = [UInt8(ascii: "/")]
        for byte in reference.description.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                bytes.append(byte)
            case let byte where plain.contains(byte): bytes.append(byte)
            default: bytes += ("%" + Hexadecimal.encode([byte]).uppercased()).utf8
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let plain = Array("-._~/:@+,=".utf8)
}
