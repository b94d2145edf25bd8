package import Artifacts
internal import GRDB
internal import Synchronization
internal import Trust

/// One move of a channel.
package struct ChannelMove: Sendable, Hashable {
    /// From 1, within its channel.
    package let sequence: Int64
    /// The manifest that the channel named from then on.
    package let digest: Digest
    /// The move whose manifest a rollback brought back; nil for any other move.
    package let restores: Int64?
    /// Seconds since 1970.
    package let movedAt: Int64
    package let actor: String
}

/// Where the caller believes that a channel stands.
package enum ChannelExpectation: Sendable, Hashable {
    case anywhere
    /// There is no such channel yet.
    case absent
    case at(Digest)
}

extension ArtifactStore {
    /// Points a channel at a version of the same name, and makes the channel where there is none. When this returns,
    /// the move survives a power cut, and `releases` has it. Pointing it where it stands is no move. Where rules are about
    /// the name, every signature of the version is verified again.
    /// - Returns: the move that the channel stands at.
    /// - Throws: `manifestUnknown`; `untrusted` when machines may not be given it; `tagExists` when the channel's name is that of a version; `channelMoved` when it
    ///   does not stand where `expectation` says. Nothing changes then.
    @discardableResult
    package func promote(
        _ version: Version, to channel: Tag, name: ArtifactName, expecting expectation: ChannelExpectation = .anywhere,
        by actor: String = "local"
    ) async throws(StoreError) -> ChannelMove {
        let digest = try await requireBootable(version, name, by: actor)
        return try publication.withLock { _ throws(StoreError) in
            let release = try bootableRelease(.digest(digest), name)
            let move = try withCatalog { pool in
                try pool.write { database in
                    let digest = try self.manifestDigest(database, .digest(release.digest), name)
                    return try self.move(
                        database, channel, name, to: digest, restores: nil, expectation, "promote", by: actor)
                }
            }
            index.withLock { $0.insert(release, name: name, tag: channel) }
            return move
        }
    }

    /// Points a channel at the version it named before the present one. Once more goes back further: a version that
    /// was rolled back from is not come back to.
    /// - Throws: `manifestUnknown` when there is no such channel, or the version before was deleted;
    ///   `noEarlierVersion`; `channelMoved`; `untrusted` when machines may no longer be given it.
    @discardableResult
    package func rollBack(
        _ channel: Tag, name: ArtifactName, expecting expectation: ChannelExpectation = .anywhere,
        by actor: String = "local"
    ) async throws(StoreError) -> ChannelMove {
        func target() throws(StoreError) -> ChannelMove {
            try withCatalog { pool in try pool.read { try self.moveBefore($0, channel, name, expectation) } }
        }
        let verified = try await requireBootable(.digest(target().digest), name, by: actor)
        return try publication.withLock { _ throws(StoreError) in
            let before = try target()
            guard before.digest == verified else {
                throw StoreError(.channelMoved, "somebody else has moved \(name):\(channel): look, and try again")
            }
            let release = try bootableRelease(.digest(before.digest), name)
            let move = try withCatalog { pool in
                try pool.write { database in
                    // Nobody moves channels meanwhile: `publication` is held.
                    try self.move(
                        database, channel, name, to: before.digest, restores: before.restores ?? before.sequence,
                        expectation, "rollback", by: actor)
                }
            }
            index.withLock { $0.insert(release, name: name, tag: channel) }
            return move
        }
    }

    /// Verifies a version again where rules are about its name.
    /// - Throws: `manifestUnknown`, `untrusted`.
    private func requireBootable(_ version: Version, _ name: ArtifactName, by actor: String) async throws(StoreError)
        -> Digest
    {
        let (digest, verdict) = try await verify(version, name: name, by: actor)
        guard verdict.mayBoot else {
            throw StoreError(.untrusted, "\(name) \(version) may not boot: \(verdict.explanation)")
        }
        return digest
    }

    /// The newest move before the present one that named another version.
    private func moveBefore(
        _ database: Database, _ channel: Tag, _ name: ArtifactName, _ expectation: ChannelExpectation
    ) throws -> ChannelMove {
        guard let present = try newestMove(database, channel, name),
            let digest = try position(database, channel, name)
        else { throw StoreError(.manifestUnknown, "\(name) has no channel '\(channel)'") }
        try require(expectation, digest, channel, name)
        var place = (present.restores ?? present.sequence) - 1
        while let before = try move(database, channel, name, place), before.digest == digest {
            place = (before.restores ?? before.sequence) - 1
        }
        guard let before = try move(database, channel, name, place) else {
            throw StoreError(.noEarlierVersion, "\(name):\(channel) has named no version before \(digest)")
        }
        guard try holds(database, before.digest, name) else {
            throw StoreError(
                .manifestUnknown,
                "\(name):\(channel) named \(before.digest) before, which was deleted: promote another version")
        }
        return before
    }

    /// A version as machines would be given it.
    /// - Throws: `manifestUnknown`; `untrusted` when they may not be; `failure` when its manifest is damaged on disk.
    private func bootableRelease(_ version: Version, _ name: ArtifactName) throws(StoreError) -> Release {
        let stored = try manifest(version, name: name)
        let value: Manifest
        do {
            value = try Manifest(json: stored.bytes)
        } catch {
            throw StoreError(.invalidManifest, "\(error)")
        }
        let published = releases
        // A key may have been revoked since the version was verified.
        if let withholding = published.withholding(of: Reference(name: name, version: .digest(stored.digest))) {
            throw StoreError(.untrusted, "\(name) \(version) may not boot: \(withholding.reason)")
        }
        return try Self.release(stored.digest, value) { page in
            published.release(Reference(name: name, version: .digest(page)))?.files.pages.first
        }
    }

    /// The moves of a channel, newest first.
    /// - Throws: `manifestUnknown` when there never was such a channel.
    package func history(_ channel: Tag, name: ArtifactName, limit: Int = 1000) throws(StoreError) -> [ChannelMove] {
        let moves = try withCatalog { pool in
            try pool.read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT * FROM channel_move WHERE name = ? AND channel = ? ORDER BY sequence DESC LIMIT ?
                        """, arguments: [name.description, channel.description, limit]
                ).map(Self.move)
            }
        }
        guard !moves.isEmpty else { throw StoreError(.manifestUnknown, "\(name) has no channel '\(channel)'") }
        return moves
    }

    /// Moves a channel within the caller's transaction.
    func move(
        _ database: Database, _ channel: Tag, _ name: ArtifactName, to digest: Digest, restores: Int64?,
        _ expectation: ChannelExpectation, _ action: String, by actor: String
    ) throws -> ChannelMove {
        let held = try Row.fetchOne(
            database, sql: "SELECT digest, is_channel FROM tag WHERE name = ? AND tag = ?",
            arguments: [name.description, channel.description])
        let present = try held.map { try Digest(hex: $0["digest"] as String) }
        if let held, held["is_channel"] == false {
            throw StoreError(
                .tagExists, "\(name):\(channel) is a version, and versions do not move: choose another channel name")
        }
        try require(expectation, present, channel, name)
        let newest = try newestMove(database, channel, name)
        if let newest, present == digest, newest.digest == digest { return newest }
        let move = ChannelMove(
            sequence: (newest?.sequence ?? 0) + 1, digest: digest, restores: restores, movedAt: clock(), actor: actor)
        try database.execute(
            sql: """
                INSERT INTO tag (name, tag, digest, updated_at, is_channel) VALUES (?, ?, ?, ?, 1)
                ON CONFLICT (name, tag) DO UPDATE SET digest = excluded.digest, updated_at = excluded.updated_at
                """, arguments: [name.description, channel.description, digest.column, move.movedAt])
        try database.execute(
            sql: """
                INSERT INTO channel_move (name, channel, sequence, digest, restores, moved_at, actor)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                name.description, channel.description, move.sequence, digest.column, restores, move.movedAt, actor,
            ])
        try audit.append(
            database, action, "\(name):\(channel)", "\(present?.description ?? "nothing") -> \(digest)", by: actor)
        return move
    }

    private func require(
        _ expectation: ChannelExpectation, _ present: Digest?, _ channel: Tag, _ name: ArtifactName
    ) throws(StoreError) {
        switch expectation {
        case .anywhere: break
        case .absent where present == nil: break
        case .at(let digest) where present == digest: break
        case .absent, .at:
            throw StoreError(
                .channelMoved,
                "\(name):\(channel) names \(present?.description ?? "nothing"): somebody else has moved it; look, and try again"
            )
        }
    }

    /// Where a tag stands; nil where there is none.
    private func position(_ database: Database, _ tag: Tag, _ name: ArtifactName) throws -> Digest? {
        try String.fetchOne(
            database, sql: "SELECT digest FROM tag WHERE name = ? AND tag = ?",
            arguments: [name.description, tag.description]
        ).map { try Digest(hex: $0) }
    }

    /// The digest of a version of a name.
    /// - Throws: `manifestUnknown`.
    func manifestDigest(_ database: Database, _ version: Version, _ name: ArtifactName) throws -> Digest {
        var digest: Digest?
        switch version {
        case .digest(let exact): digest = exact
        case .tag(let tag):
            digest = try position(database, tag, name)
        }
        guard let digest, try holds(database, digest, name) else {
            throw StoreError(.manifestUnknown, "\(name) has no version '\(version)'")
        }
        return digest
    }

    /// Whether a name has a manifest.
    func holds(_ database: Database, _ manifest: Digest, _ name: ArtifactName) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT 1 FROM manifest WHERE name = ? AND digest = ?",
            arguments: [name.description, manifest.column]) == true
    }

    private func newestMove(_ database: Database, _ channel: Tag, _ name: ArtifactName) throws -> ChannelMove? {
        try Row.fetchOne(
            database,
            sql: "SELECT * FROM channel_move WHERE name = ? AND channel = ? ORDER BY sequence DESC LIMIT 1",
            arguments: [name.description, channel.description]
        ).map(Self.move)
    }

    private func move(_ database: Database, _ channel: Tag, _ name: ArtifactName, _ sequence: Int64) throws
        -> ChannelMove?
    {
        try Row.fetchOne(
            database, sql: "SELECT * FROM channel_move WHERE name = ? AND channel = ? AND sequence = ?",
            arguments: [name.description, channel.description, sequence]
        ).map(Self.move)
    }

    private static func move(_ row: Row) throws -> ChannelMove {
        ChannelMove(
            sequence: row["sequence"], digest: try Digest(hex: row["digest"] as String), restores: row["restores"],
            movedAt: row["moved_at"], actor: row["actor"])
    }
}
