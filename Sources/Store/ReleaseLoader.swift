internal import Artifacts
internal import GRDB
internal import Trust

/// Reads every published manifest into an index, at start. A manifest that is damaged on disk is left out, and a tree with a
/// page that is: its tag then names nothing that could boot, and the rest is served.
struct ReleaseLoader {
    let reader: any DatabaseReader
    let blobPath: (Digest) -> String
    /// What verdicts must rest on to hold.
    let basis: TrustBasis
    /// Seconds since 1970.
    let now: Int64

    func load() throws -> ReleaseIndex {
        var index = ReleaseIndex()
        try reader.read { database in
            var trees: [(row: Row, manifest: Manifest)] = []
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT manifest.name, manifest.digest, tag.tag FROM manifest
                    LEFT JOIN tag ON tag.name = manifest.name AND tag.digest = manifest.digest
                    ORDER BY manifest.name, manifest.digest
                    """)
            // One manifest may have many tags: it is read once.
            var last: (digest: Digest, release: Release)?
            while let row = try rows.next() {
                guard let digest = try? Digest(hex: row["digest"] as String) else { continue }
                if let last, last.digest == digest {
                    Self.insert(last.release, row, &index)
                    continue
                }
                guard let manifest = manifest(digest) else { continue }
                guard !manifest.isTree else {
                    trees.append((row.copy(), manifest))
                    continue
                }
                guard let release = try? Release(digest: digest, manifest: manifest) else { continue }
                Self.insert(release, row, &index)
                last = (digest, release)
            }
            for (row, manifest) in trees {
                guard let name = try? ArtifactName(row["name"] as String),
                    let digest = try? Digest(hex: row["digest"] as String),
                    let release = try? ArtifactStore.release(
                        digest, manifest,
                        page: { page in
                            index.release(Reference(name: name, version: .digest(page)))?.files.pages.first
                        })
                else { continue }
                Self.insert(release, row, &index)
            }
            try withhold(database, &index)
        }
        return index
    }

    /// Of names that rules are about, machines are given what has a verdict that holds, and nothing else.
    private func withhold(_ database: Database, _ index: inout ReleaseIndex) throws {
        for name in index.names {
            let digest = basis.digest(for: name)
            guard digest != .empty else { continue }
            let verdicts = try StoredVerdict.all(database, name)
            let attached = try Set(
                String.fetchAll(
                    database, sql: "SELECT digest FROM manifest WHERE name = ? AND subject IS NOT NULL",
                    arguments: [name.description]))
            for manifest in index.digests(of: name) {
                if attached.contains(manifest.column) {
                    index.withhold(manifest, name: name, .attached)
                } else if let stored = verdicts[manifest], stored.holds(on: digest, now: now) {
                    index.withhold(manifest, name: name, stored.verdict.withholding)
                } else {
                    index.withhold(manifest, name: name, .unjudged)
                }
            }
        }
    }

    private func manifest(_ digest: Digest) -> Manifest? {
        guard let bytes = SmallFile.read(blobPath(digest), limit: Manifest.maximumSize),
            SHA256.digest(of: bytes) == digest
        else { return nil }
        return try? Manifest(json: bytes)
    }

    private static func insert(_ release: Release, _ row: Row, _ index: inout ReleaseIndex) {
        guard let name = try? ArtifactName(row["name"] as String) else { return }
        index.insert(release, name: name, tag: (row["tag"] as String?).flatMap { try? Tag($0) })
    }
}
