internal import Boot

/// Request paths as logs and timelines may hold them.
enum LoggablePath {
    /// The path without its query, and without the token of a per-boot URL: who reads a log must not be able to report
    /// for a machine.
    static func of(_ uri: some StringProtocol) -> String {
        let path = String(uri.prefix { $0 != "?" })
        // Decoded as the namespace decodes it, or `/%68osts/TOKEN` would be served and logged.
        guard var parts = URLPath.components(path) else { return "(unreadable path)" }
        if parts.first == "hosts", parts.count > 1 { parts[1] = "(token)" }
        return PrintableText.line("/" + parts.joined(separator: "/"), limit: 300)
    }
}
