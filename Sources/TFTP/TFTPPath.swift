/// What a requested file name means in the one namespace of the boot plane.
package enum TFTPPath {
    /// The path with one leading slash. Firmware writes backslashes, double slashes, no leading slash, or a trailing
    /// 0xff from a badly ended DHCP option. nil when the name is empty or holds `..`, a control character or bytes
    /// that are not UTF-8.
    package static func normalized(_ name: String) -> String? {
        // By scalars: as characters, a slash and a combining mark after it are one, and not equal to a slash.
        var text = name.unicodeScalars[...]
        while text.last == "\u{FFFD}" { text = text.dropLast() }
        guard !text.contains(where: { $0.value < 32 || $0.value == 127 || $0 == "\u{FFFD}" }) else { return nil }
        let components = text.split { $0 == "/" || $0 == "\\" }.map(String.init).filter { $0 != "." }
        guard !components.isEmpty, !components.contains("..") else { return nil }
        return "/" + components.joined(separator: "/")
    }
}
