package import Artifacts

/// `GET` and `PUT /api/v1/retention`: what is kept of some names.
package struct RetentionRuleDocument: Codable, Hashable, Sendable {
    package var names: NamePattern
    /// How many of the newest versions stay; nil for all.
    package var keptVersions: Int?
    /// Hours after which a manifest without a tag goes; nil for never.
    package var untaggedHours: Int?

    package init(names: NamePattern, keptVersions: Int?, untaggedHours: Int?) {
        self.names = names
        self.keptVersions = keptVersions
        self.untaggedHours = untaggedHours
    }
}

/// `POST /api/v1/retention/apply`.
package struct RetentionRequest: Codable, Hashable, Sendable {
    package var isDryRun: Bool

    package init(isDryRun: Bool) { self.isDryRun = isDryRun }
}

/// The answer: one of these for each version that was taken, or would be.
package struct RetentionFindingDocument: Codable, Hashable, Sendable {
    package var reference: String
    package var reason: String

    package init(reference: String, reason: String) {
        self.reference = reference
        self.reason = reason
    }
}
