import Artifacts
import Foundation
import Store
import StoreFaults

/// A data directory of its own for each test: in memory where the machine allows, because thousands of pushes sync.
/// It stays until nobody uses it any more, a store that was opened in it included.
struct TemporaryStore {
    /// Exists; the data directory below it does not until a store is opened.
    let root: String
    var path: String { root + "/data" }
    let files: FaultyFileOperations

    init(files: FaultyFileOperations = FaultyFileOperations()) throws {
        let parent = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        let directory = try TemporaryDirectory("\(parent)/store-tests-\(UUID().uuidString)")
        root = directory.path
        self.files = files
        files.keep(directory)
    }

    func open(at path: String? = nil, reserve: Int64? = 0, now: Int64 = 1000) throws -> ArtifactStore {
        try ArtifactStore(StoreConfiguration(path: path ?? self.path, reserve: reserve, clock: { now }, files: files))
    }

    /// The entries of a directory below the data directory; empty when it is absent.
    func entries(_ directory: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(directory)")) ?? []).sorted()
    }

    func content(_ path: String) -> [UInt8]? { FileManager.default.contents(atPath: path).map { Array($0) } }
}

/// Values that tests of the store share.
enum Sample {
    static func name(_ text: String = "debian") throws -> ArtifactName { try ArtifactName(text) }

    static func tag(_ text: String) throws -> Version { .tag(try Tag(text)) }

    /// The same bytes for the same seed.
    static func bytes(_ count: Int, seed: UInt8 = 1) -> [UInt8] {
        var value = UInt32(seed) &* 2_654_435_761 | 1
        return (0..<count).map { _ in
            value = value &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: value >> 16)
        }
    }

    /// A manifest of files by path; the configuration is a blob of its own.
    static func manifest(_ files: [(path: String, bytes: [UInt8])], configuration: [UInt8] = Array("{}".utf8)) throws
        -> [UInt8]
    {
        let layers = files.map { file in
            Descriptor(
                mediaType: MediaType.file, digest: SHA256.digest(of: file.bytes), size: Int64(file.bytes.count),
                annotations: [AnnotationKey.title: file.path])
        }
        let descriptor = Descriptor(
            mediaType: MediaType.imageConfiguration, digest: SHA256.digest(of: configuration),
            size: Int64(configuration.count))
        return try Manifest(configuration: descriptor, layers: layers).canonicalJSON()
    }
}

extension ArtifactStore {
    /// Uploads a blob in pieces, as a client that knows its size does.
    @discardableResult
    func push(_ bytes: [UInt8], name: ArtifactName, pieces: Int = 2) async throws -> Digest {
        let digest = SHA256.digest(of: bytes)
        let upload = try beginUpload(name: name, size: Int64(bytes.count))
        defer { forget(upload) }
        let turn = try await upload.begin(at: 0)
        let length = max(1, bytes.count / pieces)
        for start in stride(from: 0, to: bytes.count, by: length) {
            try await upload.append(Array(bytes[start..<min(bytes.count, start + length)]), turn: turn)
        }
        try await upload.finish(digest, turn: turn)
        return digest
    }

    /// Uploads files and a configuration, and publishes their manifest.
    @discardableResult
    func publish(
        _ files: [(path: String, bytes: [UInt8])], name: ArtifactName, version: Version, by actor: String = "local"
    ) async throws -> Digest {
        for file in files { try await push(file.bytes, name: name) }
        try await push(Array("{}".utf8), name: name)
        return try await publish(
            try Sample.manifest(files), mediaType: MediaType.imageManifest, name: name, version: version,
            by: actor)
    }
}

extension NamePattern: ExpressibleByStringLiteral {
    /// A pattern that a test has written; one of none of the forms is `*`.
    public init(stringLiteral text: String) { self = NamePattern(text) ?? .all }
}
