internal import Artifacts
internal import Foundation
internal import GRDB
internal import Synchronization

/// What the catalog knows that no blob tells: which names hold which manifests, and what their tags name. It is written
/// beside the catalog, as JSON lines, so that a catalog that was lost can be made anew from it and from the blobs.
struct NamesFile {
    /// One line: a manifest of a name, or a tag of it.
    struct Line: Codable, Hashable {
        var name: String
        var digest: Digest
        var mediaType: String?
        /// Of the manifest.
        var size: Int64?
        /// What the manifest lists: should it rot, what it lists is kept all the same.
        var references: [Digest]?
        var tag: String?
        var isChannel: Bool?
        /// Seconds since 1970.
        var time: Int64
    }

    static func path(in directory: String) -> String { directory + "/names.jsonl" }

    /// Every line of a catalog, manifests before tags.
    static func forEachLine(_ database: Database, _ body: (Line) throws -> Void) throws {
        let manifests = try Row.fetchCursor(
            database,
            sql: """
                SELECT name, digest, media_type, size, created_at, (
                    SELECT group_concat(manifest_reference.digest) FROM manifest_reference
                    WHERE manifest_reference.name = manifest.name AND manifest_reference.manifest = manifest.digest
                ) AS "references" FROM manifest ORDER BY name, digest
                """)
        while let row = try manifests.next() {
            let references = (row["references"] as String?)?.split(separator: ",") ?? []
            try body(
                Line(
                    name: row["name"], digest: try Digest(hex: row["digest"] as String), mediaType: row["media_type"],
                    size: row["size"], references: try references.map { try Digest(hex: $0) },
                    time: row["created_at"]))
        }
        let tags = try Row.fetchCursor(database, sql: "SELECT * FROM tag ORDER BY name, tag")
        while let row = try tags.next() {
            try body(
                Line(
                    name: row["name"], digest: try Digest(hex: row["digest"] as String), tag: row["tag"],
                    isChannel: row["is_channel"], time: row["updated_at"]))
        }
    }

    /// The lines of a file; those that cannot be read are left out.
    static func read(_ path: String) -> [Line] {
        guard let bytes = SmallFile.read(path, limit: 1 << 30) else { return [] }
        return bytes.split(separator: UInt8(ascii: "\n")).compactMap {
            try? JSONDecoder().decode(Line.self, from: Data($0))
        }
    }
}

extension ArtifactStore {
    /// Writes the names beside the catalog, if they have changed since the last time. To be called about every minute.
    /// - Throws: `failure`, `noSpace`.
    package func keepNames() throws(StoreError) {
        let newest = try withCatalog { pool in
            try pool.read { try Int64.fetchOne($0, sql: "SELECT MAX(sequence) FROM audit") ?? 0 }
        }
        guard keptNames.withLock({ $0 != newest }) else { return }
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            try SmallFile.write(NamesFile.path(in: directory.path), files) { write in
                try catalog.pool.read { database in
                    try NamesFile.forEachLine(database) { try write(encoder.encode($0) + [UInt8(ascii: "\n")]) }
                }
            }
        } catch {
            throw space.explain(error, as: "the names could not be written beside the catalog")
        }
        keptNames.withLock { $0 = newest }
    }
}
