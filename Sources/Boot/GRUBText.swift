internal import Artifacts

/// The one place that makes text safe for a GRUB script (GRUB manual, "Shell-like scripting"): everything goes between
/// single quotes, where nothing has a meaning but the quote itself.
enum GRUBText {
    /// A word of Linux' command line. nil for what GRUB changes on the way: it puts a backslash before quotes and backslashes,
    /// and quotes around words with a space (its `lib/cmdline.c`).
    static func argument(_ text: String) -> String? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 32 && $0 != 127 && !#""'\"#.utf8.contains($0) }) else {
            return nil
        }
        return quoted(text)
    }

    /// Text for `echo`: whatever could end the line becomes `?`.
    static func message(_ text: String) -> String {
        quoted(PrintableText.line(text).replacing("\n", with: "?"))
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: #"'\''"#) + "'"
    }
}
