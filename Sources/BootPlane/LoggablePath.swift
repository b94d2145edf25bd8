/// Request paths as logs and timelines may hold them.
enum LoggablePath {
    /// The path without its query, and without the token of a per-boot URL: who reads a log must not be able to report
    /// for a machine.
    static func of(_ uri: some StringProtocol) -> String {
        let path = String(uri.prefix { $0 != "?" })
        var parts = path.split(separator: "/").map(String.init)
        guard parts.first == "hosts" else { return String(path.prefix(300)) }
        if parts.count > 1 { parts[1] = "(token)" }
        return "/" + parts.joined(separator: "/")
    }
}
