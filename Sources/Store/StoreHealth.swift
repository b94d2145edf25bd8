internal import Synchronization

/// Whether the disk may still be written. After a failed fsync it may not, until the next start: what is stored is
/// served on.
package final class StoreHealth: Sendable {
    private let failure = Mutex<FileFailure?>(nil)

    /// The failure that ended writing; nil while all is well.
    package var reason: FileFailure? { failure.withLock { $0 } }

    func degrade(_ failure: FileFailure) {
        self.failure.withLock { if $0 == nil { $0 = failure } }
    }

    /// For whoever meets the failure first.
    static let explanation = "the disk refused to store: nothing more is accepted until it is mended"

    func requireWritable() throws(StoreError) {
        if let reason {
            throw StoreError(
                .degraded, "the store accepts nothing since the disk failed: mend it and restart", cause: reason)
        }
    }
}
