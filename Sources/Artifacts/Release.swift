/// One file of a release: where its bytes are and how many.
package struct ReleaseFile: Hashable, Sendable {
    package let digest: Digest
    /// Bytes.
    package let size: Int64

    package init(digest: Digest, size: Int64) {
        self.digest = digest
        self.size = size
    }
}

/// What a published version says to a machine: its files by path. Immutable.
package struct Release: Hashable, Sendable {
    /// The digest of the manifest.
    package let digest: Digest
    package let files: FileList

    package init(digest: Digest, files: FileList) {
        self.digest = digest
        self.files = files
    }

    /// - Throws: `ArtifactError` (`invalidManifest`) for a path that is both a file and a folder.
    package init(digest: Digest, files: [ArtifactPath: ReleaseFile]) throws(ArtifactError) {
        self.init(digest: digest, files: try FileList(FilePage(files.map { ($0.key, $0.value) })))
    }

    /// The files that a manifest lists itself. Those of a tree are in the manifests that its index lists.
    /// - Throws: `ArtifactError` (`invalidPath`) for a path that could lead out of a folder, (`invalidManifest`) for
    ///   two different blobs under one path, or a path that is both a file and a folder.
    package init(digest: Digest, manifest: Manifest) throws(ArtifactError) {
        self.init(digest: digest, files: try FileList(FilePage(manifest: manifest)))
    }
}
