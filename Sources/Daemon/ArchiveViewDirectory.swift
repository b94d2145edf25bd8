internal import Archives
internal import Artifacts
internal import Store

/// The views of archives in a data directory: `views/HEX` is one, `views/HEX.refused` says in words why there is none.
struct ArchiveViewDirectory: ArchiveLookup {
    let path: String

    init(dataPath: String) { path = DataDirectory.viewsPath(in: dataPath) }

    func viewPath(_ archive: Digest) -> String { "\(path)/\(archive.hex)" }
    func refusalPath(_ archive: Digest) -> String { "\(path)/\(archive.hex).refused" }

    /// Whether an archive is still to be looked into.
    func isUnknown(_ archive: Digest) -> Bool {
        (try? ArchiveViewFile(path: viewPath(archive))) == nil
            && SmallFile.read(refusalPath(archive), limit: 4096) == nil
    }

    func member(_ path: ArtifactPath, of archive: Digest) -> ArchiveMember? {
        guard let view = try? ArchiveViewFile(path: viewPath(archive)), let found = try? view.file(at: path) else {
            return nil
        }
        var offset: Int64?
        if case .extent(let start) = found.place { offset = start }
        return ArchiveMember(file: ReleaseFile(digest: found.digest, size: found.size), offset: offset)
    }

    func entries(in folder: ArtifactPath?, of archive: Digest, limit: Int) -> [FolderEntry]? {
        (try? ArchiveViewFile(path: viewPath(archive))).flatMap { try? $0.entries(in: folder, limit: limit) }
    }

    func refusal(of archive: Digest) -> String? {
        if (try? ArchiveViewFile(path: viewPath(archive))) != nil { return nil }
        if let bytes = SmallFile.read(refusalPath(archive), limit: 4096) {
            return String(decoding: bytes, as: UTF8.self)
        }
        return "it has not been looked into yet"
    }
}
