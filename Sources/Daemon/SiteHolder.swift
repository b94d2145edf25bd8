internal import Artifacts
internal import ConfigurationFile
internal import Logging
internal import Site
internal import Synchronization

/// The site file in use. A reload replaces it whole, or not at all.
final class SiteHolder: Sendable {
    private let path: String
    private let logger: Logger
    private let state: Mutex<Site>
    /// One reload at a time, or an older reading could come last.
    private let reloading = Mutex<Void>(())
    private let changes: @Sendable (Site) -> Void

    /// `changes` is called with each new site after it is in use.
    init(path: String, site: Site, logger: Logger, changes: @escaping @Sendable (Site) -> Void) {
        self.path = path
        self.logger = logger
        self.changes = changes
        state = Mutex(site)
    }

    var current: Site { state.withLock { $0 } }

    /// `current.revision`, without a copy of all of it.
    var revision: Digest { state.withLock { $0.revision } }

    /// Reads the file again; with an error in it, says so and keeps the site in use. `isAsked`: somebody waits for a word,
    /// even when nothing changed.
    func reload(isAsked: Bool = true) { reloading.withLock { _ in readAgain(isAsked) } }

    private func readAgain(_ isAsked: Bool) {
        let reading = SiteFile.read(path)
        for finding in reading.diagnostics where finding.severity != .info {
            logger.log(level: finding.severity == .error ? .error : .warning, "\(finding.rendered(file: path))")
        }
        guard let site = reading.site else {
            logger.error("\(path) has errors: revision \(current.revision) stays in use")
            return
        }
        guard site.revision != current.revision else {
            return logger.log(level: isAsked ? .info : .debug, "\(path) is unchanged")
        }
        state.withLock { $0 = site }
        logger.notice("\(path): revision \(site.revision) is in use")
        changes(site)
    }
}
