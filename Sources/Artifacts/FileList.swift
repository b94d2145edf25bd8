/// The files of a release: pages that follow one another, no path twice, and no file where a folder is.
package struct FileList: Hashable, Sendable, Sequence {
    package typealias Element = FilePage.Element

    package let pages: [FilePage]
    package let count: Int

    /// - Throws: `ArtifactError` (`invalidManifest`) for pages out of order, a path that is on two of them, and a path
    ///   that is both a file and a folder.
    package init(_ pages: [FilePage]) throws(ArtifactError) {
        self.pages = pages.filter { !$0.isEmpty }
        count = self.pages.reduce(0) { $0 + $1.count }
        for (page, next) in zip(self.pages, self.pages.dropFirst()) {
            guard page.bytes(page.count - 1).lexicographicallyPrecedes(next.bytes(0)) else {
                throw ArtifactError(
                    .invalidManifest,
                    "'\(next[0].path)' is listed after '\(page[page.count - 1].path)': a tree lists each path once, in the order of its bytes"
                )
            }
        }
        try requireFoldersOnly()
    }

    package init(_ page: FilePage) throws(ArtifactError) { try self.init([page]) }

    package subscript(path: ArtifactPath) -> ReleaseFile? { self[Array(path.description.utf8)] }

    private subscript(path: [UInt8]) -> ReleaseFile? {
        // The last page that begins at the path or before it.
        var low = 0
        var high = pages.count
        while low < high {
            let middle = (low + high) / 2
            if path.lexicographicallyPrecedes(pages[middle].bytes(0)) { high = middle } else { low = middle + 1 }
        }
        return low == 0 ? nil : pages[low - 1][path]
    }

    /// The sum of the files' sizes in bytes; `Int64.max` where they claim more than that.
    package var totalSize: Int64 {
        pages.reduce(0) { sum, page in
            let (total, overflow) = sum.addingReportingOverflow(page.totalSize)
            return overflow ? .max : total
        }
    }

    package var isEmpty: Bool { count == 0 }

    package func makeIterator() -> FlattenSequence<[FilePage]>.Iterator { pages.joined().makeIterator() }

    /// No folder of a path is a file. Paths come in order, so a folder is looked up once for all that is in it.
    private func requireFoldersOnly() throws(ArtifactError) {
        let slash = UInt8(ascii: "/")
        var last: ArraySlice<UInt8> = []
        for page in pages {
            for position in page.indices {
                let path = page.bytes(position)
                let known = zip(last, path).prefix { $0 == $1 }.count
                for (offset, byte) in path.enumerated() where byte == slash && offset >= known {
                    let folder = Array(path.prefix(offset))
                    guard self[folder] == nil else {
                        let name = String(decoding: folder, as: UTF8.self)
                        throw ArtifactError(
                            .invalidManifest,
                            "'\(name)' is both a file and the folder of '\(page[position].path)': rename one")
                    }
                }
                last = path
            }
        }
    }
}

extension ArtifactPath {
    /// Firmware, TFTP servers and file systems exist that do not tell upper case from lower, or one way to write an
    /// accent from another: files that differ in nothing else would be one there.
    /// - Throws: `ArtifactError` (`invalidManifest`) that names two such paths.
    package static func requireDistinctInAnyCase(_ paths: some Sequence<ArtifactPath>) throws(ArtifactError) {
        // Hashes only: the paths themselves are in memory once, with the caller.
        var seen: Set<Int> = []
        for path in paths where !seen.insert(path.caseless.hashValue).inserted {
            // Two different ones may have one hash, once in a long while.
            guard let other = paths.first(where: { $0 != path && $0.caseless == path.caseless }) else { continue }
            throw ArtifactError(
                .invalidManifest, "'\(other)' and '\(path)' differ in upper and lower case only: rename one")
        }
    }

    /// The same for paths that differ in case or in the way that accents are written; Swift compares characters.
    private var caseless: String { description.lowercased() }
}
