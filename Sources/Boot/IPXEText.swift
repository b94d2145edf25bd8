internal import Artifacts

/// The one place that makes text safe for an iPXE script. iPXE expands `${...}` before it splits a line at white space
/// and has no quoting, so some words cannot be said at all (ipxe src/core/exec.c, `split_command`, `process_line`).
enum IPXEText {
    /// A word of a command line. nil when iPXE would read it as anything but one word: white space, control
    /// characters, `${`, a command separator, or a comment.
    static func word(_ text: String) -> String? {
        guard !text.isEmpty, !text.contains("${"), !["||", "&&", ";"].contains(text), !text.hasPrefix("#"),
            text.utf8.allSatisfy({ $0 > 32 && $0 != 127 })
        else { return nil }
        return text
    }

    /// Text for `echo` and comments: whatever could end the line or be expanded becomes `?`.
    static func message(_ text: String) -> String {
        let line = String(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : Character($0) })
        return line.replacing("${", with: "?{").split(separator: " ").map { word in
            word == "||" || word == "&&" || word == ";" || word.hasPrefix("#") ? "?" : String(word)
        }.joined(separator: " ")
    }

    /// The path of an artifact's file, percent-encoded but for unreserved characters and those that the namespace uses
    /// (RFC 3986 section 3.3).
    static func path(_ reference: FileReference) -> String {
        "/" + reference.description.utf8.map { byte -> String in
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
