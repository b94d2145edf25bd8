internal import Glibc
internal import ServiceLifecycle
internal import UnixSignals

/// Reloads the site file on SIGHUP and when the file changes. It looks once a second: editors replace files in ways
/// that no watch on the old one sees.
struct SiteWatcher: Service {
    let path: String
    let holder: SiteHolder

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await onSignal() }
                group.addTask { await onChange() }
            }
        }
    }

    private func onSignal() async {
        for await _ in await UnixSignalsSequence(trapping: .sighup) { holder.reload() }
    }

    private func onChange() async {
        // Nothing is known yet: a change since the program read the file must be seen.
        var loaded = FileState()
        var seen = FileState()
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            let now = FileState(path)
            defer { seen = now }
            // A file that is just being replaced is missing for a moment, and one that is being written is not whole
            // yet: it counts when it is the same for two looks.
            guard now != loaded, now.exists, now == seen else { continue }
            loaded = now
            holder.reload(isAsked: false)
        }
    }

    private struct FileState: Equatable {
        var inode: UInt64 = 0
        var size: Int64 = 0
        var seconds = 0
        var nanoseconds = 0
        var exists: Bool { inode != 0 }

        init() {}

        init(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return }
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }
}
