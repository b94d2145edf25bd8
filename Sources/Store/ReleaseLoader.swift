internal import Artifacts
internal import GRDB

/// Reads every published manifest into an index, at start. A manifest that is damaged on disk is left out: its tag then
/// names nothing that could boot, and the rest is served.
struct ReleaseLoader {
    let reader: any DatabaseReader
    let blobPath: (Digest) -> String

    func load() throws -> ReleaseIndex {
        var index = ReleaseIndex()
        try reader.read { database in
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT manifest.name, manifest.digest, tag.tag FROM manifest
                    LEFT JOIN tag ON tag.name = manifest.name AND tag.digest = manifest.digest
                    """)
            while let row = try rows.next() {
                guard let name = try? ArtifactName(row["name"] as String),
                    let digest = try? Digest(hex: row["digest"] as String),
                    let bytes = SmallFile.read(blobPath(digest), limit: Manifest.maximumSize),
                    SHA256.digest(of: bytes) == digest, let manifest = try? Manifest(json: bytes),
                    let release = try? Release(digest: digest, manifest: manifest)
                else { continue }
                index.insert(release, name: name, tag: (row["tag"] as String?).flatMap { try? Tag($0) })
            }
        }
        return index
    }
}
