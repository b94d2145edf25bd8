package import Artifacts
internal import GRDB
internal import Synchronization
internal import Trust

/// What a name no longer has. The bytes stay until a collection finds that nothing needs them.
extension ArtifactStore {
    /// Takes a tag, a version's or a channel's, from a name. Its manifest stays, and a channel's history.
    /// - Throws: `manifestUnknown`.
    package func delete(_ tag: Tag, name: ArtifactName, by actor: String = "local") throws(StoreError) {
        try publication.withLock { _ throws(StoreError) in
            try withCatalog { pool in
                try pool.write { database in
                    let digest = try self.manifestDigest(database, .tag(tag), name)
                    try database.execute(
                        sql: "DELETE FROM tag WHERE name = ? AND tag = ?",
                        arguments: [name.description, tag.description])
                    try self.audit.append(database, "delete tag", "\(name):\(tag)", "\(digest)", by: actor)
                }
            }
            index.withLock { $0.remove(tag, name: name) }
        }
    }

    /// Takes a manifest from a name, with every tag that names it. With a tree go those of its pages that no other tree has.
    /// - Throws: `manifestUnknown`; `inUse` when a channel names it, or an index lists it.
    package func delete(manifest digest: Digest, name: ArtifactName, by actor: String = "local") throws(StoreError) {
        try publication.withLock { _ throws(StoreError) in
            let gone = try withCatalog { pool in
                try pool.write { database in
                    _ = try self.manifestDigest(database, .digest(digest), name)
                    let tags = try Row.fetchAll(
                        database, sql: "SELECT tag, is_channel FROM tag WHERE name = ? AND digest = ? ORDER BY tag",
                        arguments: [name.description, digest.column])
                    if let channel = tags.first(where: { $0["is_channel"] }) {
                        throw StoreError(
                            .inUse,
                            "channel \(name):\(channel["tag"] as String) names \(digest): promote another version to it first, or delete the channel"
                        )
                    }
                    if try self.isListed(database, digest, name) {
                        throw StoreError(.inUse, "an index of \(name) lists \(digest): delete the index first")
                    }
                    let pages = try self.pages(of: digest, name, database)
                    let subject = try String.fetchOne(
                        database,
                        sql: """
                            SELECT subject FROM manifest WHERE name = ? AND digest = ? AND artifact_type = ?
                            """, arguments: [name.description, digest.column, Evidence.artifactType]
                    ).map { try Digest(hex: $0) }
                    try self.remove(digest, name, database)
                    let left = try pages.filter { page in
                        let isNeeded = try Bool.fetchOne(
                            database,
                            sql: """
                                SELECT EXISTS (SELECT 1 FROM manifest_reference WHERE name = ?1 AND digest = ?2)
                                    OR EXISTS (SELECT 1 FROM tag WHERE name = ?1 AND digest = ?2)
                                """, arguments: [name.description, page.column])
                        return isNeeded == false
                    }
                    for page in left { try self.remove(page, name, database) }
                    let list = tags.map { $0["tag"] as String }.joined(separator: " ")
                    try self.audit.append(database, "delete manifest", "\(name)@\(digest)", list, by: actor)
                    return (digests: left + [digest], subject: subject)
                }
            }
            index.withLock { index in
                for digest in gone.digests { index.remove(digest, name: name) }
                if let subject = gone.subject, isRestricted(name) { index.withhold(subject, name: name, .unjudged) }
            }
            if gone.subject != nil { wantVerdicts.yield() }
        }
    }

    /// The manifests that a tree lists; none for any other manifest.
    private func pages(of digest: Digest, _ name: ArtifactName, _ database: Database) throws -> [Digest] {
        try String.fetchAll(
            database,
            sql: """
                SELECT reference.digest FROM manifest
                JOIN manifest_reference AS reference
                    ON reference.name = manifest.name AND reference.manifest = manifest.digest
                JOIN manifest AS page ON page.name = manifest.name AND page.digest = reference.digest
                WHERE manifest.name = ? AND manifest.digest = ? AND manifest.artifact_type = ?
                """, arguments: [name.description, digest.column, MediaType.tree]
        ).map { try Digest(hex: $0) }
    }

    private func remove(_ digest: Digest, _ name: ArtifactName, _ database: Database) throws {
        // A verdict may rest on what goes.
        try database.execute(
            sql: """
                DELETE FROM verdict WHERE name = ?1
                    AND digest = (SELECT subject FROM manifest WHERE name = ?1 AND digest = ?2)
                """, arguments: [name.description, digest.column])
        for table in ["tag", "verdict", "manifest"] {
            try database.execute(
                sql: "DELETE FROM \(table) WHERE name = ? AND digest = ?",
                arguments: [name.description, digest.column])
        }
        try database.execute(
            sql: "DELETE FROM manifest_reference WHERE name = ? AND manifest = ?",
            arguments: [name.description, digest.column])
        // The manifest itself is a blob of the name.
        try database.execute(
            sql: "DELETE FROM repository_blob WHERE name = ? AND digest = ?",
            arguments: [name.description, digest.column])
    }

    /// Takes a blob from a name.
    /// - Throws: `blobUnknown`; `inUse` when a manifest of the name needs it.
    package func delete(blob digest: Digest, name: ArtifactName, by actor: String = "local") throws(StoreError) {
        try withCatalog { pool in
            try pool.write { database in
                let isManifest = try self.holds(database, digest, name)
                if try isManifest || self.isListed(database, digest, name) {
                    throw StoreError(
                        .inUse, "\(digest) is needed by a manifest of \(name): delete the manifest first")
                }
                try database.execute(
                    sql: "DELETE FROM repository_blob WHERE name = ? AND digest = ?",
                    arguments: [name.description, digest.column])
                guard database.changesCount > 0 else {
                    throw StoreError(.blobUnknown, "\(name) does not hold blob \(digest)")
                }
                try self.audit.append(database, "delete blob", "\(name)@\(digest)", by: actor)
            }
        }
    }

    /// Whether a manifest of the name lists a digest.
    private func isListed(_ database: Database, _ digest: Digest, _ name: ArtifactName) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT 1 FROM manifest_reference WHERE name = ? AND digest = ? LIMIT 1",
            arguments: [name.description, digest.column]) == true
    }
}
