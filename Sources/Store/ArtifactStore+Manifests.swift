package import Artifacts
internal import GRDB
internal import Synchronization

/// A stored manifest.
package struct StoredManifest: Sendable, Hashable {
    package let digest: Digest
    package let mediaType: String
    package let bytes: [UInt8]
}

/// A tag with what it names, for listings.
package struct TaggedArtifact: Sendable, Hashable {
    package let name: ArtifactName
    package let tag: Tag
    package let digest: Digest
    /// Seconds since 1970.
    package let publishedAt: Int64
    package let isChannel: Bool
}

extension ArtifactStore {
    /// Publishes a manifest, under a tag or as the digest that its bytes must have. A tag that is a channel moves to it.
    /// When this returns it survives a power cut, and `releases` has it.
    /// - Throws: `invalidManifest`, `digestMismatch`, `manifestBlobUnknown` (naming the blobs), `tagExists`, `notPermitted`
    ///   for a channel that the caller may not move, `noSpace`, `degraded`. Nothing is published then.
    package func publish(
        _ bytes: [UInt8], mediaType: String, name: ArtifactName, version: Version, by actor: String = "local",
        mayMoveChannel: Bool = true
    ) async throws(StoreError) -> Digest {
        let digest = SHA256.digest(of: bytes)
        if case .digest(let expected) = version, expected != digest {
            throw StoreError(.digestMismatch, "the manifest's digest is \(digest), not \(expected)")
        }
        let manifest: Manifest
        let release: Release
        do {
            manifest = try Manifest(json: bytes)
            release = try Release(digest: digest, manifest: manifest)
        } catch {
            throw StoreError(.invalidManifest, "\(error)")
        }
        if let inner = manifest.mediaType, inner != mediaType {
            throw StoreError(.invalidManifest, "the manifest says it is '\(inner)' and was sent as '\(mediaType)'")
        }
        // Checked before a byte is written, and again in the transaction that publishes.
        try withCatalog { try $0.read { try self.requirePublishable($0, manifest, digest, name, version) } }
        _ = try await storeBlob(bytes, name: name)
        let tag: Tag? = if case .tag(let tag) = version { tag } else { nil }
        try publication.withLock { _ throws(StoreError) in
            let tags = try withCatalog { pool in
                try pool.write { database in
                    try self.requirePublishable(database, manifest, digest, name, version)
                    if let tag, !mayMoveChannel, try self.isChannel(database, tag, name) {
                        throw StoreError(
                            .notPermitted, "\(name):\(tag) is a channel: to move it takes the right to promote")
                    }
                    try self.insert(database, manifest, bytes.count, mediaType, digest, name, tag, by: actor)
                    return try String.fetchAll(
                        database, sql: "SELECT tag FROM tag WHERE name = ? AND digest = ?",
                        arguments: [name.description, digest.column]
                    ).map { try Tag($0) }
                }
            }
            index.withLock { index in
                index.insert(release, name: name, tag: nil)
                // All of them: when the manifest was damaged on disk, the index has lacked them since the start.
                for tag in tags { index.point(tag, at: digest, name: name) }
            }
        }
        return digest
    }

    private func insert(
        _ database: Database, _ manifest: Manifest, _ size: Int, _ mediaType: String, _ digest: Digest,
        _ name: ArtifactName, _ tag: Tag?, by actor: String
    ) throws {
        let now = clock()
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO manifest
                    (name, digest, media_type, artifact_type, subject, size, created_at, lived_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                name.description, digest.column, mediaType, manifest.referrerType, manifest.subject?.digest.column,
                size, now, lifetimeClock(),
            ])
        var isChange = database.changesCount > 0
        for reference in Self.references(of: manifest) {
            try database.execute(
                sql: "INSERT OR IGNORE INTO manifest_reference (name, manifest, digest) VALUES (?, ?, ?)",
                arguments: [name.description, digest.column, reference.column])
        }
        if let tag {
            if try isChannel(database, tag, name) {
                _ = try move(database, tag, name, to: digest, restores: nil, .anywhere, "promote", by: actor)
            } else {
                try database.execute(
                    sql: "INSERT OR IGNORE INTO tag (name, tag, digest, updated_at) VALUES (?, ?, ?, ?)",
                    arguments: [name.description, tag.description, digest.column, now])
                isChange = isChange || database.changesCount > 0
            }
        }
        if isChange {
            let reference = tag.map { "\(name):\($0)" } ?? "\(name)@\(digest)"
            try audit.append(database, "publish", reference, "\(digest)", by: actor)
        }
    }

    private func isChannel(_ database: Database, _ tag: Tag, _ name: ArtifactName) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT is_channel FROM tag WHERE name = ? AND tag = ?",
            arguments: [name.description, tag.description]) == true
    }

    static func references(of manifest: Manifest) -> [Digest] {
        manifest.descriptors.map(\.digest)
    }

    private func requirePublishable(
        _ database: Database, _ manifest: Manifest, _ digest: Digest, _ name: ArtifactName, _ version: Version
    ) throws {
        var missing: [Digest] = []
        for descriptor in [manifest.config].compactMap({ $0 }) + (manifest.layers ?? []) {
            let size = try Int64.fetchOne(
                database,
                sql: """
                    SELECT size FROM blob JOIN repository_blob USING (digest)
                    WHERE digest = ? AND name = ? AND state = 'present'
                    """, arguments: [descriptor.digest.column, name.description])
            if size == nil || (try? files.size(directory.blobPath(descriptor.digest))) != size {
                missing.append(descriptor.digest)
            } else if size != descriptor.size {
                throw StoreError(
                    .invalidManifest,
                    "\(descriptor.digest) has \(size ?? 0) bytes, not the \(descriptor.size) of the manifest")
            }
        }
        for descriptor in manifest.manifests ?? [] {
            let there = try Bool.fetchOne(
                database, sql: "SELECT 1 FROM manifest WHERE name = ? AND digest = ?",
                arguments: [name.description, descriptor.digest.column])
            if there == nil { missing.append(descriptor.digest) }
        }
        guard missing.isEmpty else {
            let list = missing.map(\.description).joined(separator: ", ")
            throw StoreError(.manifestBlobUnknown, "the manifest names blobs that \(name) does not hold: \(list)")
        }
        if case .tag(let tag) = version {
            let holder = try String.fetchOne(
                database, sql: "SELECT digest FROM tag WHERE name = ? AND tag = ? AND NOT is_channel",
                arguments: [name.description, tag.description])
            if let holder, holder != digest.column {
                throw StoreError(
                    .tagExists,
                    "\(name):\(tag) is published and immutable (sha256:\(holder)): publish under another tag")
            }
        }
    }

    /// - Throws: `manifestUnknown`.
    package func manifest(_ version: Version, name: ArtifactName) throws(StoreError) -> StoredManifest {
        let row = try withCatalog { pool in
            try pool.read { database in
                let key: String? =
                    switch version {
                    case .digest(let digest): digest.column
                    case .tag(let tag):
                        try String.fetchOne(
                            database, sql: "SELECT digest FROM tag WHERE name = ? AND tag = ?",
                            arguments: [name.description, tag.description])
                    }
                return try Row.fetchOne(
                    database, sql: "SELECT digest, media_type FROM manifest WHERE name = ? AND digest = ?",
                    arguments: [name.description, key])
            }
        }
        guard let row, let digest = try? Digest(hex: row["digest"] as String) else {
            throw StoreError(.manifestUnknown, "\(name) has no version '\(version)'")
        }
        guard let bytes = SmallFile.read(directory.blobPath(digest), limit: Manifest.maximumSize),
            SHA256.digest(of: bytes) == digest
        else { throw StoreError(.failure, "the manifest \(digest) is damaged on disk: push it again") }
        return StoredManifest(digest: digest, mediaType: row["media_type"], bytes: bytes)
    }

    /// A page of tags in lexical order, after `last`.
    /// - Throws: `nameUnknown` when nothing was ever published under the name.
    package func tags(name: ArtifactName, after last: String?, limit: Int) throws(StoreError) -> [String] {
        try withCatalog { pool in
            try pool.read { database in
                let known = try Bool.fetchOne(
                    database,
                    sql: """
                        SELECT EXISTS (SELECT 1 FROM manifest WHERE name = ?1)
                            OR EXISTS (SELECT 1 FROM repository_blob WHERE name = ?1)
                        """,
                    arguments: [name.description])
                guard known == true else { throw StoreError(.nameUnknown, "there is no artifact '\(name)'") }
                return try String.fetchAll(
                    database, sql: "SELECT tag FROM tag WHERE name = ? AND tag > ? ORDER BY tag LIMIT ?",
                    arguments: [name.description, last ?? "", limit])
            }
        }
    }

    /// Every tag of every name, in lexical order.
    package func taggedArtifacts() throws(StoreError) -> [TaggedArtifact] {
        try withCatalog { pool in
            try pool.read { database in
                try Row.fetchAll(database, sql: "SELECT * FROM tag ORDER BY name, tag").compactMap(Self.tagged)
            }
        }
    }

    /// The versions of a name that have a tag which is no channel, in lexical order.
    package func versions(name: ArtifactName) throws(StoreError) -> [TaggedArtifact] {
        try withCatalog { pool in
            try pool.read { database in
                try Row.fetchAll(
                    database, sql: "SELECT * FROM tag WHERE name = ? AND NOT is_channel ORDER BY tag",
                    arguments: [name.description]
                ).compactMap(Self.tagged)
            }
        }
    }

    /// The names that hold something, in lexical order.
    package func names() throws(StoreError) -> [ArtifactName] {
        try withCatalog { pool in
            try pool.read { database in
                try String.fetchAll(database, sql: "SELECT DISTINCT name FROM manifest ORDER BY name").compactMap {
                    try? ArtifactName($0)
                }
            }
        }
    }

    private static func tagged(_ row: Row) -> TaggedArtifact? {
        guard let name = try? ArtifactName(row["name"] as String), let tag = try? Tag(row["tag"] as String),
            let digest = try? Digest(hex: row["digest"] as String)
        else { return nil }
        return TaggedArtifact(
            name: name, tag: tag, digest: digest, publishedAt: row["updated_at"], isChannel: row["is_channel"])
    }
}
