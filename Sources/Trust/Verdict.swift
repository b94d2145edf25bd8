package import Artifacts

/// Whether a version may be published and booted, with every reason. A value: it is kept, shown, and made anew when keys
/// or rules change.
package struct Verdict: Sendable, Hashable, Codable {
    package enum Outcome: String, Sendable, Codable, CaseIterable {
        /// No rule is about the name.
        case unrestricted
        /// Every rule is content.
        case trusted
        /// Signatures are missing, and the rules say to go on.
        case warned
        /// Signatures are missing: it does not boot until they come.
        case quarantined
        /// Signatures are missing: it is not published, and where it was, it does not boot.
        case rejected
    }

    /// One signature, as it is shown.
    package struct Signature: Sendable, Hashable, Codable {
        package var evidence: Digest
        package var format: SignatureFormat
        package var key: String?
        package var identity: String?
        package var fingerprint: String?
        package var target: String
        /// How many of the version's files it vouches for.
        package var files: Int
        package var signedAt: Int64?
        package var receivedAt: Int64
        package var tool: String
        /// Why it does not count; nil for one that does.
        package var fault: String?
        package var notes: [String]
    }

    package var outcome: Outcome
    /// What is missing, or what it rests on; one sentence each.
    package var reasons: [String]
    package var signatures: [Signature]
    /// Seconds since 1970.
    package var checkedAt: Int64
    /// From when on a signature that it rests on may count no more; nil for never.
    package var validUntil: Int64?

    package init(
        outcome: Outcome, reasons: [String] = [], signatures: [Signature] = [], checkedAt: Int64,
        validUntil: Int64? = nil
    ) {
        self.outcome = outcome
        self.reasons = reasons
        self.signatures = signatures
        self.checkedAt = checkedAt
        self.validUntil = validUntil
    }

    /// Whether machines may be given it.
    package var mayBoot: Bool { [.unrestricted, .trusted, .warned].contains(outcome) }
    /// Whether a tag may name it.
    package var mayPublish: Bool { outcome != .rejected }

    /// All reasons in one line.
    package var explanation: String { reasons.joined(separator: "; ") }
}
