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

/// What a published manifest says to a machine: its files by path. Immutable.
package struct Release: Hashable, Sendable {
    /// The digest of the manifest.
    package let digest: Digest
    package let files: [ArtifactPath: ReleaseFile]

    package init(digest: Digest, files: [ArtifactPath: ReleaseFile]) {
        self.digest = digest
        self.files = files
    }

    /// The files that a manifest's layers name in their title annotation; layers without one are not files.
    /// - Throws: `ArtifactError` (`invalidPath`) for a path that could lead out of a folder, (`invalidManifest`) for
    ///   two different blobs under one path, or a path that is both a file and a folder.
    package init(digest: Digest, manifest: Manifest) throws(ArtifactError) {
        var files: [ArtifactPath: ReleaseFile] = [:]
        for layer in manifest.layers ?? [] {
            guard let title = layer.annotations?[AnnotationKey.title] else { continue }
            let path = try ArtifactPath(title)
            let file = ReleaseFile(digest: layer.digest, size: layer.size)
            if let other = files[path], other != file {
                throw ArtifactError(.invalidManifest, "two layers are named '\(path)': give each file its own path")
            }
            files[path] = file
        }
        for path in files.keys {
            var folder = path.description
            while let slash = folder.utf8.lastIndex(of: UInt8(ascii: "/")) {
                folder = String(folder[..<slash])
                if let other = try? ArtifactPath(folder), files[other] != nil {
                    throw ArtifactError(
                        .invalidManifest, "'\(folder)' is both a file and the folder of '\(path)': rename one")
                }
            }
        }
        self.init(digest: digest, files: files)
    }

    /// The sum of the files' sizes in bytes; `Int64.max` where a manifest claims more than that.
    package var totalSize: Int64 {
        files.values.reduce(0) { sum, file in
            let (total, overflow) = sum.addingReportingOverflow(file.size)
            return overflow ? .max : total
        }
    }
}
