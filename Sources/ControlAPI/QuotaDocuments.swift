package import Artifacts

/// `PUT /api/v1/quotas`: how much some names may hold together.
package struct QuotaDocument: Codable, Hashable, Sendable {
    /// Every quota that fits a name counts.
    package var names: NamePattern
    /// Bytes.
    package var limit: Int64
    /// Bytes that they hold now; only in answers.
    package var used: Int64?

    package init(names: NamePattern, limit: Int64, used: Int64? = nil) {
        self.names = names
        self.limit = limit
        self.used = used
    }
}
