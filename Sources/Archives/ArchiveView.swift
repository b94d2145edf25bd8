package import Artifacts

/// An archive as a folder: which of its bytes, or which blob, each path is.
package struct ArchiveView: Sendable {
    package enum Place: Sendable, Hashable {
        /// Within the archive.
        case extent(offset: Int64)
        /// A blob of its own.
        case blob
    }

    package enum Node: Sendable, Hashable {
        case file(Place, size: Int64, digest: Digest)
        /// From the archive's root; nil for the root.
        case link(ArtifactPath?)
    }

    /// In the order of their bytes.
    package let nodes: [(path: ArtifactPath, node: Node)]

    package var fileCount: Int {
        nodes.count { if case .file = $0.node { true } else { false } }
    }

    /// The blobs that it needs beside the archive.
    package var blobs: Set<Digest> {
        Set(nodes.compactMap { if case .file(.blob, _, let digest) = $0.node { digest } else { nil } })
    }

    /// A view that is being made.
    struct Draft {
        private var nodes: [ArtifactPath: Node] = [:]

        init(_ listing: ArchiveListing) {
            for (path, target) in listing.links { nodes[path] = .link(target) }
            for path in listing.rootLinks { nodes[path] = .link(nil) }
        }

        mutating func add(_ path: ArtifactPath, _ place: Place, size: Int64, digest: Digest) {
            nodes[path] = .file(place, size: size, digest: digest)
        }

        func finish() -> ArchiveView {
            ArchiveView(nodes: nodes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        }
    }
}
