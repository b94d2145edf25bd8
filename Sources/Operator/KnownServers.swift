internal import Artifacts
internal import Foundation

/// The servers that this user has logged in to, in one file that only they can read:
/// `$XDG_CONFIG_HOME/artifactctl/servers.json`, else `~/.config/artifactctl/servers.json`.
struct KnownServers: Codable, Hashable {
    /// What was pinned, and what opens it.
    struct Entry: Codable, Hashable {
        /// PEM: the one certificate that is believed.
        var certificate: String
        /// A secret.
        var token: String
    }

    /// By URL, without a slash at the end.
    var servers: [String: Entry] = [:]
    /// The server that was logged in to last: where commands go that name none.
    var last: String?

    static func path(environment: [String: String]) -> String {
        let base = environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        return (base ?? (environment["HOME"] ?? "") + "/.config") + "/artifactctl/servers.json"
    }

    /// Empty when there is no file.
    /// - Throws: `OperatorError` `file` when it is damaged.
    static func load(_ path: String) throws -> KnownServers {
        guard let data = FileManager.default.contents(atPath: path) else { return KnownServers() }
        do {
            return try JSONDecoder().decode(KnownServers.self, from: data)
        } catch {
            throw OperatorError(.file, "\(path) is damaged: remove it, and log in again")
        }
    }

    /// Replaces the file, mode 0600.
    /// - Throws: `OperatorError` `file`.
    func save(_ path: String) throws {
        let draft = path + ".new"
        do {
            let directory = (path as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try? FileManager.default.removeItem(atPath: draft)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            let content = try encoder.encode(self)
            guard
                FileManager.default.createFile(
                    atPath: draft, contents: content, attributes: [.posixPermissions: 0o600]),
                rename(draft, path) == 0
            else { throw OperatorError(.file, "\(path) cannot be written: \(String(cString: strerror(errno)))") }
        } catch let error as OperatorError {
            throw error
        } catch {
            throw OperatorError(.file, "\(path) cannot be written: \(error.localizedDescription)")
        }
    }

    /// A URL as it is looked up: scheme and host in lower case, the port only where it is not the scheme's own.
    static func canonical(_ url: String) -> String? {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), let host = parts.host?.lowercased(), !host.isEmpty
        else { return nil }
        let usual = scheme == "https" ? 443 : 80
        let port = parts.port.flatMap { $0 == usual ? nil : ":\($0)" } ?? ""
        let bare = withoutBrackets(host)
        return "\(scheme)://\(bare.contains(":") ? "[\(bare)]" : bare)\(port)"
    }

    /// An IPv6 address stands in brackets in a URL (RFC 3986 section 3.2.2), and nowhere else.
    static func withoutBrackets(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }
}
