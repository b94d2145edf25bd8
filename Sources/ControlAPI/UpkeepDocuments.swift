package import Artifacts

/// `POST /api/v1/collection`.
package struct CollectionRequest: Codable, Hashable, Sendable {
    /// Tell what a collection would take, and change nothing.
    package var isDryRun: Bool
    /// Collect even where the brake would hold.
    package var overridesBrake: Bool

    package init(isDryRun: Bool, overridesBrake: Bool) {
        self.isDryRun = isDryRun
        self.overridesBrake = overridesBrake
    }
}

/// The answer: what was found, by reason, and what was done.
package struct CollectionSummary: Codable, Hashable, Sendable {
    package struct Share: Codable, Hashable, Sendable {
        package var count: Int
        package var bytes: Int64

        package init(count: Int, bytes: Int64) {
            self.count = count
            self.bytes = bytes
        }
    }

    package var isDryRun: Bool
    /// Kept, because a manifest needs them.
    package var referenced: Share
    /// Kept, because a push under way may need them.
    package var leased: Share
    /// Kept, because they are not old enough yet.
    package var recent: Share
    /// Needed by nobody: condemned, or in a dry run only counted.
    package var unneeded: Share
    package var trashed: Share
    package var removed: Share
    package var failures: [String]
    /// Of the unneeded, 100 at most.
    package var examples: [Digest]

    package init(
        isDryRun: Bool, referenced: Share, leased: Share, recent: Share, unneeded: Share, trashed: Share,
        removed: Share, failures: [String], examples: [Digest]
    ) {
        self.isDryRun = isDryRun
        self.referenced = referenced
        self.leased = leased
        self.recent = recent
        self.unneeded = unneeded
        self.trashed = trashed
        self.removed = removed
        self.failures = failures
        self.examples = examples
    }
}

/// `GET /api/v1/scrub`.
package struct ScrubSummary: Codable, Hashable, Sendable {
    package struct Blob: Codable, Hashable, Sendable {
        package var digest: Digest
        package var size: Int64
        /// Pushing any of these again mends it.
        package var references: [String]

        package init(digest: Digest, size: Int64, references: [String]) {
            self.digest = digest
            self.size = size
            self.references = references
        }
    }

    /// Left in this pass.
    package var remainingCount: Int
    package var remainingBytes: Int64
    /// Seconds since 1970; nil before the first pass has ended.
    package var passEndedAt: Int64?
    package var corrupt: [Blob]

    package init(remainingCount: Int, remainingBytes: Int64, passEndedAt: Int64?, corrupt: [Blob]) {
        self.remainingCount = remainingCount
        self.remainingBytes = remainingBytes
        self.passEndedAt = passEndedAt
        self.corrupt = corrupt
    }
}
