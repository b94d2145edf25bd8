internal import Artifacts

/// The one place that makes text safe for an iPXE script. iPXE expands `${...}` before it splits a line at white space
/// and has no quoting, so some words cannot be said at all (ipxe src/core/exec.c, `split_command`, `process_line`). It
/// knows bytes only, so nothing here goes by characters: a combining mark would hide a `#`, a space or a `${`.
enum IPXEText {
    /// A word of a command line. nil when iPXE would read it as anything but one word: white space, control
    /// characters, `${`, a command separator, or a comment.
    static func word(_ text: String) -> String? {
        guard !text.isEmpty, !text.unicodeScalars.contains("${".unicodeScalars), !isSyntax(text),
            text.utf8.allSatisfy({ $0 > 32 && $0 != 127 })
        else { return nil }
        return text
    }

    /// Text for `echo` and comments: whatever could end the line or be expanded becomes `?`.
    static func message(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : $0 }
        let words = scalars.split(separator: " ").map { word in
            var view = String.UnicodeScalarView(word)
            view.replace("${".unicodeScalars, with: "?{".unicodeScalars)
            return String(view)
        }
        return words.map { isSyntax($0) ? "?" : $0 }.joined(separator: " ")
    }

    /// Whether iPXE reads a word as the end of a command: a separator, or the start of a comment.
    private static func isSyntax(_ word: String) -> Bool {
        ["||", "&&", ";"].contains(word) || word.utf8.first == UInt8(ascii: "#")
    }

    /// The path of an artifact's file, percent-encoded but for unreserved characters and those that the namespace uses
    /// (RFC 3986 section 3.3).
    static func path(_ reference: FileReference) -> String {
        "/"
            + reference.description.utf8.map { byte -> String in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    String(Unicode.Scalar(byte))
                case let byte where "-._~/:@+,=".utf8.contains(byte): String(Unicode.Scalar(byte))
                default: "%" + Hexadecimal.encode([byte]).uppercased()
                }
            }.joined()
    }
}
