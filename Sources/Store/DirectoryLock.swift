internal import Glibc

/// The right of one process to write a data directory: an flock(2) on its file LOCK, until this value goes or the process
/// ends, however it ends.
final class DirectoryLock: Sendable {
    /// How long a holder may take to let go, in steps of 20 ms: a child that was forked shares the lock until it runs its
    /// program.
    private static let attempts = 50

    private let descriptor: Int32

    /// - Throws: `StoreError` `locked` when another holds it for a second, `failure` when there can be no such file.
    init(directory: String) throws(StoreError) {
        let path = directory + "/LOCK"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let failure = FileFailure(operation: "open", path: path, errorNumber: errno)
            throw StoreError(.failure, "data directory \(directory) cannot be used", cause: failure)
        }
        for _ in 0..<Self.attempts {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                self.descriptor = descriptor
                return
            }
            usleep(20_000)
        }
        close(descriptor)
        throw StoreError(.locked, "data directory \(directory) is in use by another provisioner: stop that one first")
    }

    deinit { close(descriptor) }
}
