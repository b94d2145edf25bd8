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

    /// A page of all tags, or of those of one name, in order of name and tag; `last` is where the page before ended.
    package func taggedArtifacts(
        of name: ArtifactName? = nil, after last: (name: String, tag: String)? = nil, limit: Int = .max
    ) throws(StoreError) -> [TaggedArtifact] {
        try withCatalog { pool in
            try pool.read { database in
                // Two statements: with an OR, SQLite would read the tags of all names behind.
                let (name, last) = (name?.description, last)
                guard let name else {
                    return try Row.fetchAll(
                        database, sql: "SELECT * FROM tag WHERE (name, tag) > (?, ?) ORDER BY name, tag LIMIT ?",
                        arguments: [last?.name ?? "", last?.tag ?? "", limit]
                    ).compactMap(Self.tagged)
                }
                return try Row.fetchAll(
                    database, sql: "SELECT * FROM tag WHERE name = ? AND tag > ? ORDER BY tag LIMIT ?",
                    arguments: [name, last?.tag ?? "", limit]
                ).compactMap(Self.tagged)
            }
        }
    }

    /// When a tag last came or moved, in seconds since 1970; nil when none ever did.
    package func newestPublication() throws(StoreError) -> Int64? {
        try withCatalog { pool in
            try pool.read { try Int64.fetchOne($0, sql: "SELECT MAX(updated_at) FROM tag") }
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

    /// A page of the names that hold something, in lexical order, after `last`.
    package func names(after last: String, limit: Int) throws(StoreError) -> [ArtifactName] {
        try withCatalog { pool in
            try pool.read { database in
                // Each name is looked for behind the one before: nobody reads every manifest of a name.
                try String.fetchAll(
                    database,
                    sql: """
                        WITH RECURSIVE page (name, number) AS (
                            SELECT MIN(name), 1 FROM manifest WHERE name > ?1
                            UNION ALL
                            SELECT (SELECT MIN(name) FROM manifest WHERE name > page.name), number + 1 FROM page
                                WHERE page.name IS NOT NULL AND number < ?2
                        )
                        SELECT name FROM page WHERE name IS NOT NULL
                        """, arguments: [last, limit]
                ).compactMap { try? ArtifactName($0) }
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
