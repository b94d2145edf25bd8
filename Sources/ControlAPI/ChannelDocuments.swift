package import Artifacts

/// `GET /api/v1/channels/NAME:CHANNEL`: where a channel stands and where it stood, newest move first.
package struct ChannelReport: Codable, Hashable, Sendable {
    package struct Move: Codable, Hashable, Sendable {
        package var sequence: Int64
        package var digest: Digest
        /// The versions that name the same manifest now.
        package var tags: [String]
        /// The move that a rollback brought back.
        package var restores: Int64?
        /// Seconds since 1970.
        package var movedAt: Int64
        package var actor: String

        package init(
            sequence: Int64, digest: Digest, tags: [String], restores: Int64?, movedAt: Int64, actor: String
        ) {
            self.sequence = sequence
            self.digest = digest
            self.tags = tags
            self.restores = restores
            self.movedAt = movedAt
            self.actor = actor
        }
    }

    package var name: String
    package var channel: String
    package var moves: [Move]

    package init(name: String, channel: String, moves: [Move]) {
        self.name = name
        self.channel = channel
        self.moves = moves
    }
}

/// `PUT /api/v1/channels/NAME:CHANNEL` (promote).
package struct PromoteRequest: Codable, Hashable, Sendable {
    /// A tag or a digest of the same name.
    package var version: String
    /// Where the caller believes the channel stands: a digest, `none`, or nil for anywhere.
    package var expected: String?

    package init(version: String, expected: String?) {
        self.version = version
        self.expected = expected
    }
}

/// `POST /api/v1/channels/NAME:CHANNEL/rollback`.
package struct RollbackRequest: Codable, Hashable, Sendable {
    /// As in ``PromoteRequest``.
    package var expected: String?

    package init(expected: String?) { self.expected = expected }
}
