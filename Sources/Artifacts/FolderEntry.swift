/// One of the things that a folder has directly in it.
package struct FolderEntry: Hashable, Sendable {
    /// The last component of its path.
    package let name: String
    /// nil for a folder.
    package let file: ReleaseFile?

    package init(name: String, file: ReleaseFile?) {
        self.name = name
        self.file = file
    }
}

extension FileList {
    /// What is directly in a folder, in the order of the paths' bytes, `limit` of them at most. Empty when there is no such folder.
    ///
    /// Takes time by the number of entries, and not by the number of files below them.
    /// `folder`: nil for the outermost.
    package func entries(in folder: ArtifactPath?, limit: Int) -> [FolderEntry] {
        let slash = UInt8(ascii: "/")
        let prefix = folder.map { Array($0.description.utf8) + [slash] } ?? []
        var entries: [FolderEntry] = []
        var place = firstPlace(notBefore: prefix)
        while entries.count < limit, let (page, position) = place {
            let path = pages[page].bytes(position)
            guard path.starts(with: prefix) else { break }
            let rest = path.dropFirst(prefix.count)
            let name = rest.prefix { $0 != slash }
            let isFolder = name.count < rest.count
            entries.append(
                FolderEntry(
                    name: String(decoding: name, as: UTF8.self), file: isFolder ? nil : pages[page][position].file))
            if isFolder {
                // What is in it begins with a slash: the next one begins with something greater.
                place = firstPlace(notBefore: prefix + name + [slash + 1])
            } else {
                place =
                    position + 1 < pages[page].count
                    ? (page, position + 1) : page + 1 < pages.count ? (page + 1, 0) : nil
            }
        }
        return entries
    }

    private func firstPlace(notBefore path: [UInt8]) -> (page: Int, position: Int)? {
        // The last page that begins before the path.
        var (low, high) = (0, pages.count)
        while low < high {
            let middle = (low + high) / 2
            if pages[middle].bytes(0).lexicographicallyPrecedes(path) { low = middle + 1 } else { high = middle }
        }
        if low > 0 {
            let position = pages[low - 1].firstPosition(notBefore: path)
            if position < pages[low - 1].count { return (low - 1, position) }
        }
        return low < pages.count ? (low, 0) : nil
    }
}

extension ReleaseIndex {
    /// What is directly in a folder of a version, or of an archive in it. nil when there is none, and when the version is
    /// withheld.
    /// - Parameters:
    ///   - path: nil for the version's outermost folder; an archive is a folder too.
    ///   - artifact: the version.
    ///   - archives: who looks into them.
    ///   - limit: entries at most.
    /// - Returns: the entries, in the order of their paths' bytes.
    package func folder(
        _ path: ArtifactPath?, of artifact: Reference, in archives: any ArchiveLookup, limit: Int
    ) -> [FolderEntry]? {
        guard withholding(of: artifact) == nil, let release = release(artifact) else { return nil }
        let entries = release.files.entries(in: path, limit: limit)
        guard entries.isEmpty else { return entries }
        // A version without files is an empty folder.
        guard let path else { return [] }
        if let file = release.files[path] { return archives.entries(in: nil, of: file.digest, limit: limit) }
        guard let (archive, inner) = archive(of: FileReference(artifact: artifact, path: path)) else { return nil }
        return archives.entries(in: inner, of: archive, limit: limit)
    }
}
