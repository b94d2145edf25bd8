internal import Boot
internal import GRDB

/// Which hosts reported that they are installed, read from the database beside a running daemon and without changing
/// it.
package struct OfflineInstallations: InstallationReading {
    private let installed: Set<String>

    /// - Throws: `HostsError` `failure` when there is no database that can be read.
    package init(path: String) throws(HostsError) {
        do {
            var configuration = Configuration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            installed = try queue.read { database in
                try Set(String.fetchAll(database, sql: "SELECT host FROM mark WHERE installed_at IS NOT NULL"))
            }
        } catch {
            throw HostsError(.failure, "the hosts database \(path) cannot be read", cause: error)
        }
    }

    package func isInstalled(host: String) -> Bool { installed.contains(host) }
}
