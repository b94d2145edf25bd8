package import Artifacts

/// How a collection goes about it. Times are in seconds of the store's running time: a clock that leaps makes nothing
/// older.
package struct CollectionRules: Sendable, Hashable {
    /// A blob that nobody needs stays this long after it was last pushed or asked for.
    package var grace: Int64 = 24 * 3600
    /// A condemned blob can still be read for this long: longer than any download.
    package var readTime: Int64 = 2 * 3600
    /// What was taken stays in the trash for this long.
    package var trashTime: Int64 = 24 * 3600
    /// The brake: a collection that would condemn more than this part of all bytes, and more than ``brakeMinimum``,
    /// takes nothing. From 0 to 1.
    package var brakePart = 0.5
    /// Bytes.
    package var brakeMinimum: Int64 = 1 << 30
    /// Whether the brake holds.
    package var hasBrake = true
    /// Blobs in one transaction: pushes wait no longer than for so many.
    package var batch = 500

    package init() {}
}

/// What a collection found and did. Bytes are those of blobs.
package struct CollectionReport: Sendable, Hashable {
    package struct Share: Sendable, Hashable {
        package var count = 0
        package var bytes: Int64 = 0

        mutating func add(_ size: Int64) {
            count += 1
            bytes += size
        }
    }

    /// Kept: a manifest, or a manifest that lists them, needs them.
    package var referenced = Share()
    /// Kept: a push or mount under way may need them.
    package var leased = Share()
    /// Kept: not yet older than the grace time.
    package var recent = Share()
    /// Nobody needs them: condemned now, or would be.
    package var unneeded = Share()
    /// Condemned earlier, and moved to the trash now.
    package var trashed = Share()
    /// Removed from the trash now: their bytes are free.
    package var removed = Share()
    /// What could not be moved or removed, and why; it is tried again.
    package var failures: [String] = []
    /// Of the blobs that are unneeded, some by name.
    package var examples: [Digest] = []

    package init() {}
}
