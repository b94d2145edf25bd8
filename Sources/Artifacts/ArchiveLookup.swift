/// Finds files inside archives. Answers from files on disk that are small and cached by the kernel: no database.
package protocol ArchiveLookup: Sendable {
    /// nil when the archive has no such file, or is not shown as a folder.
    func member(_ path: ArtifactPath, of archive: Digest) -> ArchiveMember?
    /// What is directly in a folder of an archive, its outermost one for nil, `limit` entries at most. nil when there is no
    /// such folder, or the archive is not shown as one.
    func entries(in folder: ArtifactPath?, of archive: Digest, limit: Int) -> [FolderEntry]?
    /// Why an archive is not shown as a folder; nil when it is.
    func refusal(of archive: Digest) -> String?
}

/// A file inside an archive.
package struct ArchiveMember: Hashable, Sendable {
    /// Of the member's bytes.
    package let file: ReleaseFile
    /// Where in the archive they begin; nil when they are a blob of their own.
    package let offset: Int64?

    package init(file: ReleaseFile, offset: Int64?) {
        self.file = file
        self.offset = offset
    }
}

/// For whoever has no archives.
package struct NoArchives: ArchiveLookup {
    package init() {}
    package func member(_ path: ArtifactPath, of archive: Digest) -> ArchiveMember? { nil }
    package func entries(in folder: ArtifactPath?, of archive: Digest, limit: Int) -> [FolderEntry]? { nil }
    package func refusal(of archive: Digest) -> String? { "archives are not looked into here" }
}

/// What a path of a version is: bytes, and where they are.
package struct FileContent: Hashable, Sendable {
    package let file: ReleaseFile
    /// The blob that has them.
    package let container: Digest
    /// Where they begin in it.
    package let offset: Int64

    package init(file: ReleaseFile, container: Digest, offset: Int64) {
        self.file = file
        self.container = container
        self.offset = offset
    }
}

extension ReleaseIndex {
    /// A file of a version, or one inside an archive of it: `debian:12/dvd.iso/install.amd/vmlinuz`. nil when there is none,
    /// and when the version is withheld.
    package func content(_ reference: FileReference, in archives: any ArchiveLookup) -> FileContent? {
        if let file = file(reference) { return FileContent(file: file, container: file.digest, offset: 0) }
        guard let (archive, path) = archive(of: reference), let member = archives.member(path, of: archive) else {
            return nil
        }
        return FileContent(
            file: member.file, container: member.offset == nil ? member.file.digest : archive,
            offset: member.offset ?? 0)
    }

    /// The file of a version that a path goes on inside of; nil when it does not.
    package func archive(of reference: FileReference) -> (digest: Digest, path: ArtifactPath)? {
        guard withholding(of: reference.artifact) == nil, let release = release(reference.artifact) else { return nil }
        let slash = UInt8(ascii: "/")
        let bytes = Array(reference.path.description.utf8)
        for mark in bytes.indices where bytes[mark] == slash {
            guard let outer = try? ArtifactPath(String(decoding: bytes[..<mark], as: UTF8.self)),
                let file = release.files[outer]
            else { continue }
            guard let inner = try? ArtifactPath(String(decoding: bytes[(mark + 1)...], as: UTF8.self)) else {
                return nil
            }
            return (file.digest, inner)
        }
        return nil
    }
}
