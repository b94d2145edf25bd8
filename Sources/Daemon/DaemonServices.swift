internal import BootPlane
internal import Glibc
internal import Hosts
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import Store
internal import TFTP

/// Writes timelines and logs behind, twice a second, and once more at the end. Where thousands of machines start at once and
/// writing takes long, it comes more rarely, so that it takes a tenth of a processor from those that serve; but every five seconds.
struct LedgerWriter: Service {
    let ledger: HostLedger
    let logs: HostLogs
    let logger: Logger
    private let executor = BlockingTaskExecutor()
    private static let shortestPause = Duration.milliseconds(500)
    private static let longestPause = Duration.seconds(5)

    init(ledger: HostLedger, logs: HostLogs, logger: Logger) {
        self.ledger = ledger
        self.logs = logs
        self.logger = logger
    }

    func run() async throws {
        await withTaskExecutorPreference(executor) {
            await cancelWhenGracefulShutdown {
                var pause = Self.shortestPause
                while (try? await Task.sleep(for: pause)) != nil {
                    let begin = ContinuousClock.now
                    flush()
                    pause = min(max(Self.shortestPause, begin.duration(to: .now) * 9), Self.longestPause)
                }
            }
            flush()
        }
    }

    private func flush() {
        do { try ledger.flush() } catch { logger.error("\(error)") }
        do { try logs.flush() } catch { logger.error("\(error)") }
    }
}

/// Keeps the boot plane's listeners open until the end; then takes no more connections and waits for the transfers
/// under way.
struct BootListenerService: Service {
    /// Seconds that running transfers get: longer ones are cut off, and firmware asks again.
    static let drainLimit = Duration.seconds(10)

    let channels: [any Channel]
    let transfers: ActiveTransfers

    func run() async throws {
        try? await gracefulShutdown()
        for channel in channels { try? await channel.close() }
        let end = ContinuousClock.now + Self.drainLimit
        while transfers.count > 0, ContinuousClock.now < end, (try? await Task.sleep(for: .milliseconds(20))) != nil {}
    }
}

/// The TFTP server's thread.
struct TFTPServiceRunner: Service {
    let server: TFTPServer

    func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                await server.run()
            } onCancel: {
                server.stop()
            }
        } onGracefulShutdown: {
            server.stop()
        }
    }
}

/// Says that the program is ready, once every listener of the control plane is.
actor Readiness {
    private var missing: Int
    private let announce: @Sendable () -> Void

    init(listeners: Int, announce: @escaping @Sendable () -> Void) {
        missing = listeners
        self.announce = announce
    }

    func listenerIsUp() {
        missing -= 1
        if missing == 0 { announce() }
    }
}

/// systemd's readiness protocol (sd_notify(3)).
enum ServiceNotification {
    /// Does nothing where `NOTIFY_SOCKET` is not set.
    static func ready() {
        guard let path = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }), !path.isEmpty else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { target in
            target.copyBytes(from: bytes)
            if bytes.first == UInt8(ascii: "@") { target[0] = 0 }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let message = Array("READY=1".utf8)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
