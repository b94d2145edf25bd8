internal import Artifacts
internal import Foundation
internal import Synchronization

/// Uploads that were begun and not ended, in a file of this user's, so that the same command goes on where an earlier one was
/// killed. To lose it, or a line of it, costs nothing but the bytes: the upload is begun anew.
final class UploadMemory: Sendable {
    private static let limit = 1000

    private struct Entry: Codable {
        var server: String
        var name: String
        var digest: Digest
        /// The path of the session.
        var location: String
        /// The process that sends it: while it lives, nobody else does.
        var process: Int32

        func isOf(_ other: Entry) -> Bool { server == other.server && name == other.name && digest == other.digest }
    }

    private let path: String
    private let server: String
    private let entries: Mutex<[Entry]>
    /// What this push is sending now: a second sender of the same goes its own way.
    private let sending = Mutex<Set<Digest>>([])

    /// `$XDG_STATE_HOME/artifactctl/uploads.json`, else `~/.local/state/artifactctl/uploads.json`.
    static func path(environment: [String: String]) -> String {
        let base = environment["XDG_STATE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        return (base ?? (environment["HOME"] ?? "") + "/.local/state") + "/artifactctl/uploads.json"
    }

    init(path: String, server: String) {
        self.path = path
        self.server = server
        entries = Mutex(Self.read(path))
    }

    /// Whether the caller is the only sender of a blob in this process; whoever is, leaves when it is done.
    func enter(_ digest: Digest) -> Bool { sending.withLock { $0.insert(digest).inserted } }
    func leave(_ digest: Digest) { sending.withLock { _ = $0.remove(digest) } }

    /// Where an earlier upload of a blob stands that no living process sends.
    func location(_ name: ArtifactName, _ digest: Digest) -> String? {
        let wanted = entry(name, digest, "")
        guard let found = entries.withLock({ $0.first { $0.isOf(wanted) } }) else { return nil }
        return found.process == getpid() || kill(found.process, 0) != 0 ? found.location : nil
    }

    /// nil forgets it.
    func remember(_ location: String?, _ name: ArtifactName, _ digest: Digest) {
        let changed = entry(name, digest, location ?? "")
        entries.withLock { entries in
            // Another push may have written meanwhile.
            entries = Self.read(path).filter { !$0.isOf(changed) }
            if location != nil { entries.append(changed) }
            entries.removeFirst(max(0, entries.count - Self.limit))
            write(entries)
        }
    }

    private func entry(_ name: ArtifactName, _ digest: Digest, _ location: String) -> Entry {
        Entry(server: server, name: name.description, digest: digest, location: location, process: getpid())
    }

    private static func read(_ path: String) -> [Entry] {
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        return (try? JSONDecoder().decode([Entry].self, from: data)) ?? []
    }

    private func write(_ entries: [Entry]) {
        let directory = (path as NSString).deletingLastPathComponent
        try? FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        guard let content = try? JSONEncoder().encode(entries) else { return }
        try? content.write(to: URL(filePath: path), options: .atomic)
    }
}
