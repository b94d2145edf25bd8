package import Artifacts
internal import GRDB

extension ArtifactStore {
    /// A page of the manifests of a name whose subject is a digest, in the order of their digests and after `last`, as
    /// the descriptors that an answer lists (Distribution specification 1.1, "Listing Referrers"). A subject that is
    /// not there, or not yet, has referrers all the same.
    ///
    /// With an `artifactType`, only those of this type.
    /// - Throws: `failure`.
    package func referrers(
        of subject: Digest, name: ArtifactName, artifactType: String?, after last: Digest?, limit: Int
    ) throws(StoreError) -> (list: [Descriptor], last: Digest?) {
        let rows = try withCatalog { pool in
            try pool.read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT digest, media_type, size FROM manifest
                        WHERE name = ?1 AND subject = ?2 AND digest > ?3 AND (?4 IS NULL OR artifact_type = ?4)
                        ORDER BY digest LIMIT ?5
                        """,
                    arguments: [name.description, subject.column, last?.column ?? "", artifactType, limit])
            }
        }
        let list = rows.compactMap { row -> Descriptor? in
            // One that is damaged on disk is left out: the others are still true.
            guard let digest = try? Digest(hex: row["digest"] as String),
                let bytes = SmallFile.read(directory.blobPath(digest), limit: Manifest.maximumSize),
                SHA256.digest(of: bytes) == digest, let manifest = try? Manifest(json: bytes)
            else { return nil }
            var descriptor = Descriptor(
                mediaType: row["media_type"], digest: digest, size: row["size"], annotations: manifest.annotations)
            descriptor.artifactType = manifest.referrerType
            return descriptor
        }
        // Where to go on: after the last row, shown or not; nil when there may be no more.
        let end = rows.count == limit ? try? rows.last.map { try Digest(hex: $0["digest"] as String) } : nil
        return (list, end ?? nil)
    }
}
