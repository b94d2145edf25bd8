import Archives
import Artifacts
import Glibc

/// What archives claim of themselves.
extension FuzzTargets {
    /// A file in memory, without a name, that walkers open by its descriptor.
    private static let memory: Int32 = {
        var path = Array("/dev/shm/fuzz.XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        unlink(path)
        return descriptor
    }()

    private static func file(_ bytes: [UInt8], at offset: Int) -> ArchiveFile? {
        guard memory >= 0, ftruncate(memory, 0) == 0, ftruncate(memory, off_t(offset + bytes.count)) == 0,
            pwrite(memory, bytes, bytes.count, off_t(offset)) == bytes.count
        else { return nil }
        return try? ArchiveFile(path: "/proc/self/fd/\(memory)")
    }

    private static let limits = ArchiveLimits(entries: 2000, depth: 16, metadata: 4 << 20)

    /// The input is what follows the system area of an image.
    static func iso(_ bytes: [UInt8]) {
        guard let file = file(bytes, at: 32768) else { return }
        if let listing = try? ISO9660Walker(file, limits: limits).list() { check(listing, file) }
    }

    static func tar(_ bytes: [UInt8]) {
        guard let file = file(bytes, at: 0) else { return }
        if let listing = try? TarWalker(file, limits: limits).list() { check(listing, file) }
    }

    /// Files lie within the archive, in the order of their paths, and share all of their bytes or none.
    private static func check(_ listing: ArchiveListing, _ file: ArchiveFile) {
        var last: ArtifactPath?
        for (path, extent) in listing.files {
            precondition(extent.offset >= 0 && extent.size >= 0 && extent.offset <= file.size - extent.size)
            precondition((try? file.read(at: extent.offset, count: Int(extent.size))) != nil)
            if let last { precondition(last < path) }
            last = path
        }
        let extents = Set(listing.files.map(\.extent)).filter { $0.size > 0 }.sorted { $0.offset < $1.offset }
        for (extent, next) in zip(extents, extents.dropFirst()) {
            precondition(extent.offset + extent.size <= next.offset, "two files share some of their bytes")
        }
        for target in listing.links.values { precondition(!target.description.isEmpty) }
    }

    /// Whatever a reader that was taken over says, the parser ends, and says nothing after the end.
    static func archiveStream(_ bytes: [UInt8]) {
        var parser = ArchiveStreamParser()
        for byte in bytes {
            parser.feed([byte])
            let wasFinished = parser.isFinished
            do {
                while let event = try parser.next() { precondition(!wasFinished, "\(event) after the end") }
            } catch {
                return
            }
        }
    }

    static func view(_ bytes: [UInt8]) {
        guard file(bytes, at: 0) != nil, let view = try? ArchiveViewFile(path: "/proc/self/fd/\(memory)") else {
            return
        }
        for path in ["a", "a/b", "install/vmlinuz", "debian/debian/debian/README"] {
            if let path = try? ArtifactPath(path) { _ = try? view.file(at: path) }
        }
    }
}
