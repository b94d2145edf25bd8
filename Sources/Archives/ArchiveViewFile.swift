package import Artifacts

/// A view on disk, looked up without reading it whole. Numbers are big-endian:
/// `PROVVIEW`, version (32 bits), count (64 bits), as many places of records (64 bits each), the records in the order of their
/// paths, and the SHA-256 of all before it. A record is the length of its path (16 bits), the path, a kind, and for a file size,
/// offset (64 bits each) and digest, for a link its target like a path.
package struct ArchiveViewFile: Sendable {
    private static let magic = Array("PROVVIEW".utf8)
    private static let version: UInt64 = 1
    private static let header = 20
    /// Links on the way to a file.
    private static let maximumLinks = 40

    private let file: ArchiveFile
    private let count: Int

    /// The bytes of a view.
    package static func encode(_ view: ArchiveView) -> [UInt8] {
        var places: [UInt8] = []
        var records: [UInt8] = []
        let start = header + 8 * view.nodes.count
        for (path, node) in view.nodes {
            append(UInt64(start + records.count), 8, &places)
            append(text: path.description, &records)
            switch node {
            case .file(let place, let size, let digest):
                var offset: Int64 = 0
                if case .extent(let start) = place { offset = start }
                records.append(place == .blob ? UInt8(ascii: "b") : UInt8(ascii: "e"))
                append(UInt64(size), 8, &records)
                append(UInt64(offset), 8, &records)
                records += digest.bytes
            case .link(let target):
                records.append(UInt8(ascii: "l"))
                append(text: target?.description ?? "", &records)
            }
        }
        var bytes = magic
        append(version, 4, &bytes)
        append(UInt64(view.nodes.count), 8, &bytes)
        bytes += places
        bytes += records
        return bytes + SHA256.digest(of: bytes).bytes
    }

    private static func append(_ number: UInt64, _ count: Int, _ bytes: inout [UInt8]) {
        for index in (0..<count).reversed() { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(index)))) }
    }

    private static func append(text: String, _ bytes: inout [UInt8]) {
        append(UInt64(text.utf8.count), 2, &bytes)
        bytes += Array(text.utf8)
    }

    /// Opens one. It is trusted as it is: `isWhole` looks at every byte.
    /// - Throws: `ArchiveError`.
    package init(path: String) throws(ArchiveError) {
        file = try ArchiveFile(path: path)
        let header = try file.read(at: 0, count: Self.header)
        guard header.starts(with: Self.magic), Self.number(header[8..<12]) == Self.version,
            let count = Int(exactly: Self.number(header[12..<20])), count <= Int(file.size) / 8
        else { throw ArchiveError(.damaged, "\(path) is no view of an archive, or one of another version") }
        self.count = count
    }

    /// Whether its bytes are those that were written.
    package static func isWhole(_ bytes: [UInt8]) -> Bool {
        bytes.count >= header + 32 && SHA256.digest(of: bytes.dropLast(32)).bytes == Array(bytes.suffix(32))
    }

    private static func number(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    private enum Found {
        case file(ArchiveView.Place, size: Int64, digest: Digest)
        /// A folder that has something in it, by its path without links.
        case folder([UInt8])
    }

    /// The file at a path, through links; nil when there is none.
    /// - Throws: `ArchiveError` when the view cannot be read.
    package func file(at path: ArtifactPath) throws(ArchiveError) -> (
        place: ArchiveView.Place, size: Int64, digest: Digest
    )? {
        // The whole path first: most have no link in them.
        if case .file(let place, let size, let digest)? = try node(Array(path.description.utf8)) {
            return (place, size, digest)
        }
        guard case .file(let place, let size, let digest)? = try resolve(path) else { return nil }
        return (place, size, digest)
    }

    /// Follows a path, nil for the outermost folder, through links.
    private func resolve(_ path: ArtifactPath?) throws(ArchiveError) -> Found? {
        let slash = UInt8(ascii: "/")
        var rest = path?.description.utf8.split(separator: slash).map { Array($0) } ?? []
        var reached: [[UInt8]] = []
        var links = 0
        while !rest.isEmpty {
            reached.append(rest.removeFirst())
            switch try node(Array(reached.joined(separator: [slash]))) {
            case .file(let place, let size, let digest):
                return rest.isEmpty ? .file(place, size: size, digest: digest) : nil
            case .link(let target):
                links += 1
                guard links <= Self.maximumLinks else { return nil }
                let components = target?.description.utf8.split(separator: slash).map { Array($0) } ?? []
                rest = components + rest
                reached = []
            case nil: continue
            }
        }
        let folder = Array(reached.joined(separator: [slash]))
        guard !folder.isEmpty else { return .folder([]) }
        let first = try firstRecord(notBefore: folder + [slash])
        guard first < count, try record(first).path.starts(with: folder + [slash]) else { return nil }
        return .folder(folder)
    }

    /// What is directly in a folder, through links, in the order of the paths' bytes; nil when there is no such folder. Links
    /// are told as what they lead to, and left out when they lead nowhere.
    /// - Parameters:
    ///   - path: nil for the outermost folder.
    ///   - limit: entries at most.
    /// - Returns: the entries.
    /// - Throws: `ArchiveError` when the view cannot be read.
    package func entries(in path: ArtifactPath?, limit: Int) throws(ArchiveError) -> [FolderEntry]? {
        let slash = UInt8(ascii: "/")
        guard case .folder(let folder)? = try resolve(path) else { return nil }
        let prefix = folder.isEmpty ? [] : folder + [slash]
        var entries: [FolderEntry] = []
        var index = try firstRecord(notBefore: prefix)
        while entries.count < limit, index < count {
            let (path, node) = try record(index)
            guard path.starts(with: prefix) else { break }
            let rest = path.dropFirst(prefix.count)
            let bytes = rest.prefix { $0 != slash }
            let name = String(decoding: bytes, as: UTF8.self)
            guard bytes.count == rest.count else {
                entries.append(FolderEntry(name: name, file: nil))
                index = try firstRecord(notBefore: prefix + bytes + [slash + 1])
                continue
            }
            switch node {
            case .file(_, let size, let digest):
                entries.append(FolderEntry(name: name, file: ReleaseFile(digest: digest, size: size)))
            case .link:
                guard let path = try? ArtifactPath(String(decoding: path, as: UTF8.self)) else { break }
                switch try resolve(path) {
                case .file(_, let size, let digest):
                    entries.append(FolderEntry(name: name, file: ReleaseFile(digest: digest, size: size)))
                case .folder: entries.append(FolderEntry(name: name, file: nil))
                case nil: break
                }
            }
            index += 1
        }
        return entries
    }

    private func firstRecord(notBefore path: [UInt8]) throws(ArchiveError) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if try record(middle).path.lexicographicallyPrecedes(path) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func node(_ path: [UInt8]) throws(ArchiveError) -> ArchiveView.Node? {
        let index = try firstRecord(notBefore: path)
        guard index < count else { return nil }
        let (found, node) = try record(index)
        return found == path ? node : nil
    }

    private func record(_ index: Int) throws(ArchiveError) -> (path: [UInt8], node: ArchiveView.Node) {
        let damaged = ArchiveError(.damaged, "the view of an archive is damaged")
        let place = Self.number(try file.read(at: Int64(Self.header + 8 * index), count: 8))
        guard let place = Int64(exactly: place), place < file.size else { throw damaged }
        // The longest record: two paths and what is around them.
        let bytes = try file.read(at: place, count: Int(min(2200, file.size - place)))
        var rest = bytes[...]
        func take(_ count: Int) throws(ArchiveError) -> ArraySlice<UInt8> {
            guard rest.count >= count else { throw damaged }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        let path = Array(try take(Int(Self.number(try take(2)))))
        switch try take(1).first {
        case UInt8(ascii: "l"):
            let target = String(decoding: try take(Int(Self.number(try take(2)))), as: UTF8.self)
            return (path, .link(try? ArtifactPath(target)))
        case let kind?:
            let size = Self.number(try take(8))
            let offset = Self.number(try take(8))
            guard let digest = Digest(bytes: try take(32)), let size = Int64(exactly: size),
                let offset = Int64(exactly: offset)
            else { throw damaged }
            return (
                path, .file(kind == UInt8(ascii: "b") ? .blob : .extent(offset: offset), size: size, digest: digest)
            )
        case nil: throw damaged
        }
    }
}
