package import Artifacts

/// What an archive holds, as far as a folder shows it. Only a listing that is sound can be made: no path twice, no file
/// where a folder is, no two files that share some bytes and not all.
package struct ArchiveListing: Sendable, Hashable {
    /// Bytes of the archive that are a file.
    package struct Extent: Sendable, Hashable {
        package var offset: Int64
        package var size: Int64

        package init(offset: Int64, size: Int64) {
            self.offset = offset
            self.size = size
        }
    }

    /// By path, in the order of their bytes.
    package private(set) var files: [(path: ArtifactPath, extent: Extent)] = []
    /// Where links lead: a path from the archive's root, which may be absent.
    package private(set) var links: [ArtifactPath: ArtifactPath] = [:]
    /// Links to the root itself, as `debian -> .`.
    package fileprivate(set) var rootLinks: Set<ArtifactPath> = []
    /// Links that lead out of the archive: they are not followed.
    package private(set) var outwardLinks: [ArtifactPath] = []

    package static func == (lhs: ArchiveListing, rhs: ArchiveListing) -> Bool {
        lhs.links == rhs.links && lhs.rootLinks == rhs.rootLinks
            && lhs.files.elementsEqual(rhs.files) { $0.path == $1.path && $0.extent == $1.extent }
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(files.count) }

    /// Collects what a walker finds.
    struct Builder {
        private let size: Int64
        private let limits: ArchiveLimits
        private var found: [ArtifactPath: Extent] = [:]
        private var links: [ArtifactPath: ArtifactPath] = [:]
        private var outwardLinks: [ArtifactPath] = []
        private var folders: Set<ArtifactPath> = []
        private var count = 0

        /// `size` is the archive's.
        init(size: Int64, limits: ArchiveLimits) {
            self.size = size
            self.limits = limits
        }

        /// The path of components below each other.
        /// - Throws: `ArchiveError` (`hostile`) for one that no folder can have.
        func path(_ components: [[UInt8]]) throws(ArchiveError) -> ArtifactPath {
            guard components.count <= limits.depth else {
                throw ArchiveError(.hostile, "a path has more than \(limits.depth) components")
            }
            guard components.allSatisfy({ !$0.isEmpty && !$0.contains(UInt8(ascii: "/")) }) else {
                throw ArchiveError(.hostile, "a name is empty, or has a slash in it")
            }
            let bytes = Array(components.joined(separator: [UInt8(ascii: "/")]))
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw ArchiveError(
                    .unsupported,
                    "the name '\(String(decoding: bytes, as: UTF8.self).prefix(120))' is not UTF-8: unpack the archive")
            }
            do {
                return try ArtifactPath(text)
            } catch {
                throw ArchiveError(.hostile, error.message)
            }
        }

        mutating func countEntry() throws(ArchiveError) {
            count += 1
            guard count <= limits.entries else {
                throw ArchiveError(.hostile, "it has more than \(limits.entries) entries")
            }
        }

        mutating func addFolder(_ path: ArtifactPath) throws(ArchiveError) {
            try countEntry()
            try requireFree(path, isFolder: true)
            folders.insert(path)
        }

        mutating func addFile(_ path: ArtifactPath, _ extent: Extent) throws(ArchiveError) {
            try countEntry()
            try requireFree(path, isFolder: false)
            guard extent.offset >= 0, extent.size >= 0, extent.offset <= size, extent.size <= size - extent.offset
            else {
                throw ArchiveError(.damaged, "'\(path)' reaches beyond the end: the archive is cut off")
            }
            found[path] = extent
        }

        /// The second name of a file that came before.
        mutating func addHardLink(_ path: ArtifactPath, to target: ArtifactPath) throws(ArchiveError) {
            guard let extent = found[target] else {
                throw ArchiveError(.damaged, "'\(path)' is another name of '\(target)', which does not come before it")
            }
            try addFile(path, extent)
        }

        /// A symbolic link with its text, as it stands in the folder of `path`.
        mutating func addLink(_ path: ArtifactPath, text: [UInt8]) throws(ArchiveError) {
            try countEntry()
            try requireFree(path, isFolder: false)
            guard let target = ArchiveListing.target(of: text, at: path) else {
                outwardLinks.append(path)
                return
            }
            if target.isEmpty { rootLinks.insert(path) } else { links[path] = try self.path(target) }
        }

        private var rootLinks: Set<ArtifactPath> = []

        private func requireFree(_ path: ArtifactPath, isFolder: Bool) throws(ArchiveError) {
            if found[path] != nil || links[path] != nil || rootLinks.contains(path)
                || !isFolder && folders.contains(path)
            {
                throw ArchiveError(.hostile, "'\(path)' is there twice")
            }
        }

        /// - Throws: `ArchiveError` (`hostile`).
        func finish() throws(ArchiveError) -> ArchiveListing {
            var listing = ArchiveListing()
            listing.files = found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            listing.links = links
            listing.rootLinks = rootLinks
            listing.outwardLinks = outwardLinks
            try requireNoOverlap()
            for path in Array(found.keys) + Array(links.keys) + Array(rootLinks) {
                for folder in path.folders
                where found[folder] != nil || links[folder] != nil || rootLinks.contains(folder) {
                    throw ArchiveError(.hostile, "'\(folder)' is a folder of '\(path)', and something else as well")
                }
            }
            return listing
        }

        private func requireNoOverlap() throws(ArchiveError) {
            let extents = Set(found.values).filter { $0.size > 0 }.sorted {
                ($0.offset, $0.size) < ($1.offset, $1.size)
            }
            for (extent, next) in zip(extents, extents.dropFirst()) where extent.offset + extent.size > next.offset {
                throw ArchiveError(
                    .hostile, "two files share bytes from \(next.offset) on, and are not one file under two names")
            }
        }
    }

    /// The components that a link's text leads to, from the archive's root; nil when it leads out.
    private static func target(of text: [UInt8], at path: ArtifactPath) -> [[UInt8]]? {
        guard text.first != UInt8(ascii: "/"), !text.isEmpty else { return nil }
        let slash = UInt8(ascii: "/")
        var components = path.description.utf8.split(separator: slash).dropLast().map { Array($0) }
        for part in text.split(separator: slash) {
            switch Array(part) {
            case Array(".".utf8): continue
            case Array("..".utf8):
                guard components.popLast() != nil else { return nil }
            case let name: components.append(name)
            }
        }
        return components
    }
}

extension ArtifactPath {
    /// Every folder that the path is in, the innermost last.
    var folders: [ArtifactPath] {
        let components = description.utf8.split(separator: UInt8(ascii: "/"))
        return components.indices.dropFirst().compactMap { count in
            try? ArtifactPath(
                String(decoding: Array(components.prefix(count).joined(separator: [UInt8(ascii: "/")])), as: UTF8.self))
        }
    }
}
