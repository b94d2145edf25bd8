internal import Artifacts
internal import Foundation

/// The files of a local folder, as a tree can have them: regular files, by relative path, in the order of the paths' bytes.
/// Links inside the folder are followed, so that a package mirror's `stable` has the files of the version it points at.
struct LocalTree: Sendable {
    struct File: Sendable {
        let path: ArtifactPath
        /// Bytes.
        let size: Int64
    }

    let directory: String
    private(set) var files: [File] = []
    var size: Int64 { files.reduce(0) { $0 + $1.size } }

    /// - Throws: `OperatorError` `file` for a link that leads out of the folder, to nothing or around in a circle, for what
    ///   is neither file nor folder, and for an empty folder; `ArtifactError` for a name that cannot be part of a path, or
    ///   two that differ in case only.
    init(_ directory: String) throws {
        self.directory = directory
        guard let root = realpath(directory, nil) else {
            throw OperatorError(.file, "\(directory) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { free(root) }
        try walk("", root: String(cString: root), above: [])
        guard !files.isEmpty else { throw OperatorError(.file, "\(directory) holds no file") }
        files.sort { $0.path < $1.path }
        // As the server sees it, before anything is sent.
        try ArtifactPath.requireDistinctInAnyCase(files.lazy.map(\.path))
    }

    func place(of path: ArtifactPath) -> String { "\(directory)/\(path)" }

    private mutating func walk(_ folder: String, root: String, above: [Folder]) throws {
        let place = folder.isEmpty ? directory : "\(directory)/\(folder)"
        var status = stat()
        guard stat(place, &status) == 0, let stream = opendir(place) else {
            throw OperatorError(.file, "\(place) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { closedir(stream) }
        let this = Folder(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        guard !above.contains(this) else {
            throw OperatorError(.file, "\(place) leads around in a circle: take the link away")
        }
        errno = 0
        while let entry = readdir(stream) {
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            guard let name = String(validating: bytes, as: UTF8.self) else {
                throw OperatorError(.file, "\(place) holds a name that is not UTF-8: rename it")
            }
            guard name != ".", name != ".." else {
                errno = 0
                continue
            }
            try add(folder.isEmpty ? name : "\(folder)/\(name)", root: root, above: above + [this])
            errno = 0
        }
        // The end and a failure look the same but for this.
        guard errno == 0 else {
            throw OperatorError(.file, "\(place) cannot be read to its end: \(String(cString: strerror(errno)))")
        }
    }

    private mutating func add(_ path: String, root: String, above: [Folder]) throws {
        let place = "\(directory)/\(path)"
        var status = stat()
        guard lstat(place, &status) == 0 else {
            throw OperatorError(.file, "\(place) cannot be read: \(String(cString: strerror(errno)))")
        }
        if status.st_mode & S_IFMT == S_IFLNK {
            guard let target = realpath(place, nil) else {
                throw OperatorError(.file, "\(place) is a link that leads nowhere: take it away")
            }
            defer { free(target) }
            guard (String(cString: target) + "/").utf8.starts(with: (root == "/" ? root : root + "/").utf8) else {
                throw OperatorError(
                    .file,
                    "\(place) is a link that leads out of the folder, to \(String(cString: target)): take it away")
            }
            guard stat(place, &status) == 0 else {
                throw OperatorError(.file, "\(place) cannot be read: \(String(cString: strerror(errno)))")
            }
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: files.append(File(path: try ArtifactPath(path), size: Int64(status.st_size)))
        case S_IFDIR: try walk(path, root: root, above: above)
        default: throw OperatorError(.file, "\(place) is neither a file nor a folder: take it away")
        }
    }

    /// A folder that is being walked.
    private struct Folder: Hashable {
        let device: UInt64
        let inode: UInt64
    }
}
