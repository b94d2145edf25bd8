/// One entry of the audit log: who changed what, and when. Each entry's digest covers the one before it, so an entry that
/// was altered, left out or put in between breaks the chain for everybody who kept a later digest.
package struct AuditEntry: Hashable, Sendable, Codable {
    /// From 1, without gaps.
    package var sequence: Int64
    /// Seconds since 1970.
    package var at: Int64
    /// Who did it: the name of an account, or `local` for the server's own socket.
    package var actor: String
    /// What was done: `publish`, `promote`, and so on.
    package var action: String
    /// What it was done to: a reference, a digest or an account.
    package var subject: String
    /// More about it, for people; may be empty.
    package var detail: String
    /// The digest of the entry before; ``Digest/empty`` for the first.
    package var previous: Digest
    /// Of everything above.
    package var digest: Digest

    /// Makes the entry that follows `previous`.
    package init(
        after previous: AuditEntry?, at: Int64, actor: String, action: String, subject: String, detail: String
    ) {
        sequence = (previous?.sequence ?? 0) + 1
        self.at = at
        self.actor = actor
        self.action = action
        self.subject = subject
        self.detail = detail
        self.previous = previous?.digest ?? .empty
        digest = .empty
        digest = computedDigest
    }

    /// Reads a stored entry; whether its digest is right, ``AuditChain`` tells.
    package init(
        sequence: Int64, at: Int64, actor: String, action: String, subject: String, detail: String, previous: Digest,
        digest: Digest
    ) {
        self.sequence = sequence
        self.at = at
        self.actor = actor
        self.action = action
        self.subject = subject
        self.detail = detail
        self.previous = previous
        self.digest = digest
    }

    /// The digest that the entry must have: SHA-256 of `provisioner.audit/1` and each field with its length before it,
    /// so that no two entries give the same bytes.
    package var computedDigest: Digest {
        let fields = [
            "provisioner.audit/1", String(sequence), String(at), actor, action, subject, detail, previous.hex,
        ]
        return SHA256.digest(of: fields.flatMap { Array("\($0.utf8.count):\($0)\n".utf8) })
    }
}

/// Checks entries of an audit log in their order, page by page.
package struct AuditChain: Sendable {
    /// The newest entry that was checked.
    package private(set) var last: AuditEntry?

    package init() {}

    /// - Throws: `ArtifactError` (`invalidAuditLog`) that names the entry at fault.
    package mutating func check(_ entry: AuditEntry) throws(ArtifactError) {
        let expected = (last?.sequence ?? 0) + 1
        guard entry.sequence == expected else {
            throw ArtifactError(
                .invalidAuditLog, "entry \(expected) is missing: entry \(entry.sequence) stands in its place")
        }
        guard entry.previous == last?.digest ?? .empty else {
            throw ArtifactError(
                .invalidAuditLog, "entry \(entry.sequence) does not follow entry \(expected - 1): one was altered")
        }
        guard entry.digest == entry.computedDigest else {
            throw ArtifactError(.invalidAuditLog, "entry \(entry.sequence) was altered: its digest is not its own")
        }
        last = entry
    }
}
