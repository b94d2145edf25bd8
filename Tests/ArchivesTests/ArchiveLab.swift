import Archives
import Artifacts
import ConfinedReader
import Foundation
import Synchronization
import TestSupport

/// A folder of test files, tools that pack it, and the view that comes of it.
struct ArchiveLab {
    let directory: URL
    let reader: ConfinedArchiveReader

    static let requirements: [Requirement] = [
        .tool("xorriso", package: "xorriso"), .tool("genisoimage", package: "genisoimage"),
        .tool("tar", package: "tar"), .tool("zip", package: "zip"),
    ]

    static func with(_ body: (ArchiveLab) async throws -> Void) async throws {
        try Requirement.demand(requirements)
        try await TemporaryDirectory.with(prefix: "archives") { directory in
            let reader = ConfinedArchiveReader(program: try BuiltProducts.provisioner())
            try await body(ArchiveLab(directory: directory, reader: reader))
        }
    }

    func path(_ name: String) -> String { directory.appending(path: name).path }

    func write(_ files: [String: String], in folder: String = "tree") throws {
        for (name, text) in files {
            let file = directory.appending(path: folder).appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
    }

    func link(_ name: String, to target: String, in folder: String = "tree") throws {
        try FileManager.default.createSymbolicLink(
            atPath: directory.appending(path: folder).appending(path: name).path, withDestinationPath: target)
    }

    /// Runs a tool in the directory.
    @discardableResult
    func run(_ command: String...) async throws -> CommandResult {
        try await CommandRunner(prefix: ["env", "-C", directory.path]).run(command, timeLimit: .seconds(300))
    }

    /// The view of an archive, and what its compressed members are.
    func view(_ name: String, limits: ArchiveLimits = ArchiveLimits()) async throws -> (
        view: ArchiveView?, blobs: [Digest: [UInt8]]
    ) {
        let sink = MemorySink()
        let view = try await ArchiveViewBuilder(reader: reader, limits: limits).build(path(name), into: sink)
        return (view, sink.blobs)
    }

    /// Every file of an archive with its text, as it is served: from the archive's own bytes or from a blob.
    func texts(_ name: String) async throws -> [String: String] {
        let (view, blobs) = try await view(name)
        guard let view else { return [:] }
        let bytes = try Data(contentsOf: directory.appending(path: name))
        var texts: [String: String] = [:]
        for case (let path, .file(let place, let size, let digest)) in view.nodes {
            let content: [UInt8] =
                switch place {
                case .extent(let offset): Array(bytes[Int(offset)..<Int(offset + size)])
                case .blob: blobs[digest] ?? []
                }
            guard SHA256.digest(of: content) == digest else {
                throw TestSupportError(.commandFailed, "\(path) is not its digest")
            }
            texts[path.description] = String(decoding: content, as: UTF8.self)
        }
        return texts
    }
}

/// Keeps members in memory.
final class MemorySink: ArchiveMemberSink {
    private let state = Mutex<(current: [UInt8], blobs: [Digest: [UInt8]])>(([], [:]))

    var blobs: [Digest: [UInt8]] { state.withLock { $0.blobs } }

    func begin() { state.withLock { $0.current = [] } }
    func append(_ bytes: [UInt8]) { state.withLock { $0.current += bytes } }
    func end(_ digest: Digest, size: Int64) { state.withLock { $0.blobs[digest] = $0.current } }
}
