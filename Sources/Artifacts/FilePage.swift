/// The files that one manifest lists, in the order of their paths' bytes. Packed: a package mirror has hundreds of
/// thousands of them, and versions of one share the pages that did not change.
package struct FilePage: Hashable, Sendable, RandomAccessCollection {
    package typealias Element = (path: ArtifactPath, file: ReleaseFile)

    /// Every path, one after another.
    private var text: [UInt8] = []
    /// Where each path ends in `text`.
    private var ends: [UInt32] = []
    private var digests: [Digest] = []
    private var sizes: [Int64] = []

    package init() {}

    /// - Throws: `ArtifactError` (`invalidManifest`) for two different files under one path.
    package init(_ files: [Element]) throws(ArtifactError) {
        let sorted = files.sorted { $0.path < $1.path }
        text.reserveCapacity(sorted.reduce(0) { $0 + $1.path.description.utf8.count })
        ends.reserveCapacity(sorted.count)
        digests.reserveCapacity(sorted.count)
        sizes.reserveCapacity(sorted.count)
        var last: Element?
        for element in sorted {
            if let last, last.path == element.path {
                guard last.file == element.file else {
                    throw ArtifactError(
                        .invalidManifest, "two files are named '\(element.path)': give each file its own path")
                }
                continue
            }
            text += element.path.description.utf8
            ends.append(UInt32(text.count))
            digests.append(element.file.digest)
            sizes.append(element.file.size)
            last = element
        }
    }

    /// The files that a manifest's layers name in their title annotation; layers without one are not files.
    /// - Throws: `ArtifactError` (`invalidPath`) for a path that could lead out of a folder, (`invalidManifest`) for two
    ///   different blobs under one path.
    package init(manifest: Manifest) throws(ArtifactError) {
        var files: [Element] = []
        for layer in manifest.layers ?? [] {
            guard let title = layer.annotations?[AnnotationKey.title] else { continue }
            files.append((try ArtifactPath(title), ReleaseFile(digest: layer.digest, size: layer.size)))
        }
        try self.init(files)
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { ends.count }

    package subscript(position: Int) -> Element {
        (
            ArtifactPath(checked: String(decoding: bytes(position), as: UTF8.self)),
            ReleaseFile(digest: digests[position], size: sizes[position])
        )
    }

    /// The file at a path; nil when there is none.
    package subscript(path: ArtifactPath) -> ReleaseFile? { self[Array(path.description.utf8)] }

    /// The same, by the path's bytes.
    subscript(path: [UInt8]) -> ReleaseFile? {
        let position = firstPosition(notBefore: path)
        guard position < count, bytes(position).elementsEqual(path) else { return nil }
        return ReleaseFile(digest: digests[position], size: sizes[position])
    }

    /// The sum of the files' sizes in bytes; `Int64.max` where they claim more than that.
    package var totalSize: Int64 {
        sizes.reduce(0) { sum, size in
            let (total, overflow) = sum.addingReportingOverflow(size)
            return overflow ? .max : total
        }
    }

    /// The bytes of a path.
    func bytes(_ position: Int) -> ArraySlice<UInt8> {
        text[(position == 0 ? 0 : Int(ends[position - 1]))..<Int(ends[position])]
    }

    func firstPosition(notBefore path: [UInt8]) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if bytes(middle).lexicographicallyPrecedes(path) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
