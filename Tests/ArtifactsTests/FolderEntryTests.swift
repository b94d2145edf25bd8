import Artifacts
import Testing

@Suite struct FolderEntryTests {
    private static func list(_ paths: [String], cutAt cut: Int) throws -> FileList {
        let sorted = paths.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        let pages = try [sorted[..<cut], sorted[cut...]].map { paths in
            try FilePage(
                paths.map { (try ArtifactPath($0), ReleaseFile(digest: SHA256.digest(of: $0.utf8), size: 1)) })
        }
        return try FileList(pages)
    }

    /// By looking at every path.
    private static func expected(_ paths: [String], _ folder: String?) -> Set<FolderEntry> {
        let prefix = folder.map { Array("\($0)/".utf8) } ?? []
        return Set(
            paths.compactMap { path in
                let bytes = Array(path.utf8)
                guard bytes.starts(with: prefix) else { return nil }
                let rest = bytes.dropFirst(prefix.count)
                let name = rest.prefix { $0 != UInt8(ascii: "/") }
                let file = ReleaseFile(digest: SHA256.digest(of: bytes), size: 1)
                return FolderEntry(
                    name: String(decoding: name, as: UTF8.self), file: name.count < rest.count ? nil : file)
            })
    }

    @Test func aFolderHasWhatEveryPathSays() throws {
        let paths = [
            "a", "a-b/x", "a.b", "b/c", "b/c-d", "b/c0", "b/d/e/f", "b/d/e/g", "b/d0", "b-/x", "b0/y", "é/ü", "z/1/2/3",
        ]
        for cut in 0...paths.count {
            let list = try Self.list(paths, cutAt: cut)
            for folder in [nil, "b", "b/d", "b/d/e", "é", "z", "z/1", "a-b", "none", "a", "b/c", "z/1/2/3", "0", "~"] {
                let entries = list.entries(in: try folder.map { try ArtifactPath($0) }, limit: 100)
                #expect(Set(entries) == Self.expected(paths, folder), "\(folder ?? "/"), cut at \(cut)")
                #expect(entries.count == Set(entries).count, "each once")
                for limit in 0...entries.count {
                    let some = list.entries(in: try folder.map { try ArtifactPath($0) }, limit: limit)
                    #expect(some == Array(entries.prefix(limit)))
                }
            }
        }
        #expect(try FileList([]).entries(in: nil, limit: 10).isEmpty)
    }
}
