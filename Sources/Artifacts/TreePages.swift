/// Cuts the files of a folder into pages, each a manifest of its own, because one manifest may not be larger than 4 MiB. The
/// cuts hang on the paths near them and on nothing else: what is added, taken away or changed in one place leaves the
/// pages of every other as they were, and nobody has to send them again.
package struct TreePages {
    /// One of so many paths ends a page.
    private static let meanCount: UInt64 = 2048
    private static let maximumBytes = 3 << 20

    private var page: [Descriptor] = []
    private var pageBytes = 0
    private let configuration: Descriptor

    /// Every page is a manifest with this configuration.
    package init(configuration: Descriptor) { self.configuration = configuration }

    /// Adds the next file, in the order of the paths' bytes.
    /// - Returns: a page, when the file was its last.
    package mutating func add(_ path: ArtifactPath, _ file: ReleaseFile) -> Manifest? {
        page.append(
            Descriptor(
                mediaType: MediaType.file, digest: file.digest, size: file.size,
                annotations: [AnnotationKey.title: path.description]))
        // A quotation mark takes two bytes in JSON; the rest of a layer takes less than this.
        pageBytes += 256 + 2 * path.description.utf8.count
        let digest = SHA256.digest(of: Array(path.description.utf8))
        guard digest.lowBits.isMultiple(of: Self.meanCount) || pageBytes >= Self.maximumBytes else { return nil }
        return end()
    }

    /// The last page; nil when there is nothing on it.
    package mutating func end() -> Manifest? {
        guard !page.isEmpty else { return nil }
        defer {
            page = []
            pageBytes = 0
        }
        return Manifest(configuration: configuration, layers: page)
    }
}

extension Manifest {
    /// The index of a tree's pages, in the order of their paths.
    package init(tree pages: [Descriptor]) {
        self.init(index: pages)
        artifactType = MediaType.tree
    }

    /// Whether its manifests are the pages of a tree.
    package var isTree: Bool { artifactType == MediaType.tree && manifests != nil }
}
