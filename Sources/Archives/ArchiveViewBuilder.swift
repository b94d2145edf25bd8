package import Artifacts

/// Where the bytes of a member that was compressed go.
package protocol ArchiveMemberSink: Sendable {
    /// Begins a file.
    func begin() async throws
    func append(_ bytes: [UInt8]) async throws
    /// Ends it: when this returns, the bytes are stored under their digest.
    func end(_ digest: Digest, size: Int64) async throws
}

/// Makes the view of an archive. Extents that our own walker found are compared, file by file, with what libarchive reads
/// of the same archive: where the two disagree on anything, there is no view.
package struct ArchiveViewBuilder: Sendable {
    private let limits: ArchiveLimits
    private let reader: any ArchiveStreaming

    package init(reader: any ArchiveStreaming, limits: ArchiveLimits = ArchiveLimits()) {
        self.reader = reader
        self.limits = limits
    }

    /// The view of a file.
    /// - Returns: nil when it is no archive, whatever its name.
    /// - Throws: `ArchiveError`; what the sink throws.
    package func build(_ path: String, into sink: any ArchiveMemberSink) async throws -> ArchiveView? {
        let file = try ArchiveFile(path: path)
        if ISO9660Walker.recognizes(file) {
            return try await compare(try ISO9660Walker(file, limits: limits).list(), file)
        }
        if TarWalker.recognizes(file) {
            return try await compare(try TarWalker(file, limits: limits).list(), file)
        }
        guard let isZip = Self.isZip(file) else { return nil }
        return try await extract(file, isZip: isZip, into: sink)
    }

    /// Whether it is a zip file, or something compressed that may be a tar archive; nil when it begins like neither.
    private static func isZip(_ file: ArchiveFile) -> Bool? {
        let marks: [[UInt8]] = [
            [0x1f, 0x8b], Array("BZh".utf8), [0xfd] + Array("7zXZ".utf8), [0x28, 0xb5, 0x2f, 0xfd],
            [0x04, 0x22, 0x4d, 0x18],
        ]
        guard let start = try? file.read(at: 0, count: min(6, Int(clamping: file.size))) else { return nil }
        if [Array("PK\u{3}\u{4}".utf8), Array("PK\u{5}\u{6}".utf8)].contains(where: { start.starts(with: $0) }) {
            return true
        }
        return marks.contains { start.starts(with: $0) } ? false : nil
    }

    // MARK: Extents

    private struct Heard {
        var files: [ArtifactPath: (size: Int64, place: Int64?, digest: Digest)] = [:]
        var hardLinks: [(path: ArtifactPath, target: ArtifactPath)] = []
        var links: Set<ArtifactPath> = []
    }

    private func compare(_ listing: ArchiveListing, _ file: ArchiveFile) async throws -> ArchiveView {
        var heard = Heard()
        var current: ArtifactPath?
        try await reader.stream(file.path, contents: false) { event in
            switch event {
            case .entry(let bytes, let kind):
                let path = try Self.path(bytes)
                current = path
                switch kind {
                case .hardLink(let target):
                    guard let path, let target = try Self.path(target) else { return }
                    heard.hardLinks.append((path, target))
                case .link: if let path { heard.links.insert(path) }
                case .file, .folder, .other: break
                }
            case .end(let size, let place, let digest):
                guard let path = current else { return }
                guard heard.files.updateValue((size, place, digest), forKey: path) == nil else {
                    throw ArchiveError(.hostile, "libarchive finds '\(path)' twice")
                }
            case .data, .finished: break
            }
        }
        for (path, target) in heard.hardLinks {
            guard let same = heard.files[target] else {
                throw ArchiveError(.damaged, "libarchive says that '\(path)' is '\(target)', and has no such file")
            }
            heard.files[path] = (same.size, nil, same.digest)
        }
        let links = Set(listing.links.keys).union(listing.rootLinks).union(listing.outwardLinks)
        guard links == heard.links else {
            let other = links.symmetricDifference(heard.links).min()
            throw Self.disagreement("the link '\(other.map(\.description) ?? "")'")
        }
        guard listing.files.count == heard.files.count else {
            let ours = Set(listing.files.map(\.path))
            let other = ours.symmetricDifference(heard.files.keys).min()
            throw Self.disagreement("whether there is a file '\(other.map(\.description) ?? "")'")
        }
        var view = ArchiveView.Draft(listing)
        var hashed: [ArchiveListing.Extent: Digest] = [:]
        let hasher = try SHA256()
        for (path, extent) in listing.files {
            guard let other = heard.files[path] else { throw Self.disagreement("whether there is a file '\(path)'") }
            guard other.size == extent.size else { throw Self.disagreement("the size of '\(path)'") }
            if let place = other.place, extent.size > 0, place != extent.offset {
                throw Self.disagreement("where '\(path)' begins: \(extent.offset) or \(place)")
            }
            let digest: Digest
            if let known = hashed[extent] {
                digest = known
            } else {
                digest = try await Self.hash(extent, of: file, hasher)
                hashed[extent] = digest
            }
            guard digest == other.digest else { throw Self.disagreement("the bytes of '\(path)'") }
            view.add(path, .extent(offset: extent.offset), size: extent.size, digest: digest)
        }
        return view.finish()
    }

    private static func hash(_ extent: ArchiveListing.Extent, of file: ArchiveFile, _ hasher: SHA256) async throws
        -> Digest
    {
        var offset = extent.offset
        let end = extent.offset + extent.size
        while offset < end {
            let count = Int(min(1 << 20, end - offset))
            hasher.update(try file.read(at: offset, count: count))
            offset += Int64(count)
            try Task.checkCancellation()
            await Task.yield()
        }
        return hasher.finish()
    }

    private static func disagreement(_ what: String) -> ArchiveError {
        ArchiveError(.damaged, "two readers disagree on \(what): unpack the archive, and look at it")
    }

    // MARK: Compressed members

    private func extract(_ file: ArchiveFile, isZip: Bool, into sink: any ArchiveMemberSink) async throws
        -> ArchiveView?
    {
        let most = min(limits.extracted, file.size.multipliedReportingOverflow(by: limits.ratio).partialValue)
        var builder = ArchiveListing.Builder(size: file.size, limits: limits)
        var found: [ArtifactPath: (size: Int64, digest: Digest)] = [:]
        var names: [(path: ArtifactPath, target: ArtifactPath)] = []
        var current: ArtifactPath?
        var total: Int64 = 0
        var size: Int64 = 0
        do {
            try await reader.stream(file.path, contents: true) { event in
                switch event {
                case .entry(let bytes, let kind):
                    current = try Self.path(bytes)
                    guard let path = current else { return }
                    switch kind {
                    case .file:
                        try builder.addFile(path, ArchiveListing.Extent(offset: 0, size: 0))
                        size = 0
                        try await sink.begin()
                    case .folder: try builder.addFolder(path)
                    case .link(let text): try builder.addLink(path, text: text)
                    case .hardLink(let target):
                        guard let target = try Self.path(target) else { return }
                        try builder.addHardLink(path, to: target)
                        names.append((path, target))
                    case .other: try builder.countEntry()
                    }
                case .data(let bytes):
                    size += Int64(bytes.count)
                    total += Int64(bytes.count)
                    guard total <= most else {
                        throw ArchiveError(
                            .hostile,
                            "its members have more than \(most) bytes, \(limits.ratio) for each of its own: unpack it, if it is what you want"
                        )
                    }
                    if current != nil { try await sink.append(bytes) }
                case .end(let told, _, let digest):
                    guard let path = current else { return }
                    guard told == size else {
                        throw ArchiveError(.failure, "the reader of archives lost bytes of '\(path)'")
                    }
                    try await sink.end(digest, size: size)
                    found[path] = (size, digest)
                case .finished: break
                }
            }
        } catch let error as ArchiveError where error.code == .damaged && found.isEmpty && !isZip {
            // Something compressed that is no archive: a disk image, an initrd.
            return nil
        }
        var view = ArchiveView.Draft(try builder.finish())
        for (path, target) in names { found[path] = found[target] }
        for (path, member) in found { view.add(path, .blob, size: member.size, digest: member.digest) }
        return view.finish()
    }

    /// nil for the root itself.
    private static func path(_ bytes: [UInt8]) throws(ArchiveError) -> ArtifactPath? {
        guard bytes.first != UInt8(ascii: "/") else {
            throw ArchiveError(.hostile, "a path begins with a slash: it leads out of the archive")
        }
        let slash = UInt8(ascii: "/")
        let components = bytes.split(separator: slash).filter { !$0.elementsEqual(".".utf8) }
        guard !components.isEmpty else { return nil }
        guard let text = String(validating: Array(components.joined(separator: [slash])), as: UTF8.self) else {
            throw ArchiveError(.unsupported, "a name is not UTF-8: unpack the archive")
        }
        do {
            return try ArtifactPath(text)
        } catch {
            throw ArchiveError(.hostile, error.message)
        }
    }
}
