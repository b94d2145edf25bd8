package import Artifacts
internal import GRDB
internal import Synchronization

/// What the store keeps for views of archives: a place for each, and the blobs of members that were compressed.
extension ArtifactStore {
    /// Endings of files that may be archives. What they really are, their bytes say.
    private static let endings = [
        ".iso", ".tar", ".zip", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst", ".tar.lz4",
    ]

    /// Has archives looked into that may have come.
    package func wantArchiveViews() { wantViews.yield() }

    /// Files of published versions that are named like archives, each once, with one name that has it. Versions in
    /// `settled` are left out; those that have no such file are put there.
    package func archives(
        but settled: inout Set<Digest>
    ) -> [(digest: Digest, name: ArtifactName, path: ArtifactPath, version: Digest)] {
        let releases = self.releases
        var seen: Set<Digest> = []
        var found: [(digest: Digest, name: ArtifactName, path: ArtifactPath, version: Digest)] = []
        for name in releases.names {
            for version in releases.digests(of: name) where !settled.contains(version) {
                let archives = self.archives(of: Reference(name: name, version: .digest(version)))
                if archives.isEmpty { settled.insert(version) }
                for archive in archives where seen.insert(archive.digest).inserted {
                    found.append((archive.digest, name, archive.path, version))
                }
            }
        }
        return found
    }

    /// Those of one version.
    package func archives(of reference: Reference) -> [(digest: Digest, path: ArtifactPath)] {
        guard let release = releases.release(reference) else { return [] }
        return release.files.filter { Self.isNamedLikeArchive($0.path) }.map { ($0.file.digest, $0.path) }
    }

    private static func isNamedLikeArchive(_ path: ArtifactPath) -> Bool {
        let lower = path.description.lowercased()
        return endings.contains { lower.hasSuffix($0) }
    }

    /// Says which blobs the view of an archive needs: a collection spares them as long as a version has the archive.
    /// - Throws: `failure`.
    package func keep(_ members: Set<Digest>, of archive: Digest) throws(StoreError) {
        try withCatalog { pool in
            try pool.write { database in
                try database.execute(sql: "DELETE FROM archive_member WHERE archive = ?", arguments: [archive.column])
                for member in members {
                    try database.executeOften(
                        "INSERT OR IGNORE INTO archive_member (archive, digest) VALUES (?, ?)",
                        [archive.column, member.column])
                }
            }
        }
    }

    /// Archives that have a member which is there no more: it rotted.
    /// - Throws: `failure`.
    package func archivesWithLostMembers() throws(StoreError) -> Set<Digest> {
        try withCatalog { pool in
            try pool.read { database in
                try Set(
                    String.fetchAll(
                        database,
                        sql: """
                            SELECT DISTINCT archive FROM archive_member LEFT JOIN blob ON blob.digest = archive_member.digest
                            WHERE blob.state IS NOT 'present' AND blob.state IS NOT 'arriving'
                            """
                    ).map { try Digest(hex: $0) })
            }
        }
    }

    /// Removes what is kept of views whose archive is no blob any more.
    func forgetViews(of archive: Digest) throws {
        for path in [directory.viewPath(archive), directory.viewPath(archive) + ".refused"] {
            try files.removeFile(path)
        }
    }
}
