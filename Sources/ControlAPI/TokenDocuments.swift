/// A token as lists show it: everything but the secret, which nobody has but its holder.
package struct TokenSummary: Codable, Hashable, Sendable {
    /// Names the token in lists, logs and for revoking; no secret.
    package var id: String
    /// Whose it is.
    package var name: String
    package var scopes: [AccessScope]
    /// Seconds since 1970.
    package var createdAt: Int64
    /// Seconds since 1970; nil for one that lasts until it is revoked.
    package var expiresAt: Int64?

    package init(id: String, name: String, scopes: [AccessScope], createdAt: Int64, expiresAt: Int64?) {
        self.id = id
        self.name = name
        self.scopes = scopes
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

/// `POST /api/v1/tokens`.
package struct TokenRequest: Codable, Hashable, Sendable {
    package var name: String
    package var scopes: [AccessScope]
    /// Seconds from now; nil for one that lasts until it is revoked.
    package var lifetime: Int64?

    package init(name: String, scopes: [AccessScope], lifetime: Int64?) {
        self.name = name
        self.scopes = scopes
        self.lifetime = lifetime
    }
}

/// The answer: the token itself, shown this once.
package struct TokenAnswer: Codable, Hashable, Sendable {
    package var token: String
    package var summary: TokenSummary

    package init(token: String, summary: TokenSummary) {
        self.token = token
        self.summary = summary
    }
}
