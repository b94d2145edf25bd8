internal import Glibc
internal import Logging
internal import ServiceLifecycle
internal import Site

/// While no site file can be used: looks every two seconds whether it can be now. Its end ends the program, and whoever
/// started it starts it again, with the site.
struct SiteRepairWatcher: ServiceLifecycle.Service {
    private static let interval = Duration.seconds(2)

    let path: String
    let logger: Logger

    func run() async throws {
        // A reload asks for what is done anyway; unhandled it would end the program in the middle of an upload.
        signal(SIGHUP, SIG_IGN)
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: Self.interval)) != nil {
                guard SiteFile.read(path).site != nil else { continue }
                logger.notice("\(path) can be used now: ending, to be started again with it")
                return
            }
        }
    }
}
