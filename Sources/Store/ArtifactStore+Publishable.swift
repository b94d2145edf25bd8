internal import Artifacts
internal import GRDB

/// What must be so before a manifest is published.
extension ArtifactStore {
    /// The blobs and manifests that a manifest needs.
    static func references(of manifest: Manifest) -> [Digest] {
        manifest.descriptors.map(\.digest)
    }

    /// Whether everything that a manifest lists is there, and its tag is free.
    /// - Throws: `invalidManifest`, `manifestBlobUnknown`, `tagExists`.
    func requirePublishable(_ prepared: PreparedManifest, _ database: Database) throws {
        let (manifest, digest) = (prepared.value, prepared.digest)
        let (name, version) = (prepared.submission.name, prepared.submission.version)
        var missing: [Digest] = []
        for descriptor in [manifest.config].compactMap({ $0 }) + (manifest.layers ?? []) {
            let size: Int64? = try database.rowOften(
                """
                SELECT size FROM blob JOIN repository_blob USING (digest)
                WHERE digest = ? AND name = ? AND state = 'present'
                """, [descriptor.digest.column, name.description])?["size"]
            if size == nil || (try? files.size(directory.blobPath(descriptor.digest))) != size {
                missing.append(descriptor.digest)
            } else if size != descriptor.size {
                throw StoreError(
                    .invalidManifest,
                    "\(descriptor.digest) has \(size ?? 0) bytes, not the \(descriptor.size) of the manifest")
            }
        }
        for descriptor in manifest.manifests ?? [] {
            let listed = try Row.fetchOne(
                database, sql: "SELECT artifact_type FROM manifest WHERE name = ? AND digest = ?",
                arguments: [name.description, descriptor.digest.column])
            guard let listed else {
                missing.append(descriptor.digest)
                continue
            }
            if manifest.isTree, listed["artifact_type"] == MediaType.tree {
                throw StoreError(
                    .invalidManifest, "the tree lists \(descriptor.digest), which is a tree: it may list pages only")
            }
        }
        guard missing.isEmpty else {
            let rest = missing.count > 20 ? ", and \(missing.count - 20) more" : ""
            let list = missing.prefix(20).map(\.description).joined(separator: ", ") + rest
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
}
