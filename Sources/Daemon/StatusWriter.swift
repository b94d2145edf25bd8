internal import ControlAPI
internal import Foundation
internal import Glibc
internal import Logging
internal import ServiceLifecycle

/// Writes the console's document every two seconds, whole or not at all. It is a file and not a route, so that the
/// console needs no rights over the server, and sees by its age when the server is gone.
struct StatusWriter: ServiceLifecycle.Service {
    private static let interval = Duration.seconds(2)

    let path: String
    let status: @Sendable () -> ConsoleStatus
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var isHealthy = true
            repeat {
                let isWritten = write()
                if !isWritten, isHealthy { logger.warning("--status-file \(path) cannot be written") }
                isHealthy = isWritten
            } while (try? await Task.sleep(for: Self.interval)) != nil
        }
        unlink(path)
    }

    private func write() -> Bool {
        guard let json = try? JSONEncoder().encode(status()) else { return false }
        let draft = path + ".new"
        unlink(draft)
        // It holds the login code: for its owner and root.
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return false }
        let bytes = [UInt8](json)
        let written = Glibc.write(descriptor, bytes, bytes.count)
        return close(descriptor) == 0 && written == bytes.count && rename(draft, path) == 0
    }
}
