import Artifacts
import Fixtures
import Store
import Synchronization

/// What everybody does with a store, in an order that the seed decides.
struct Work {
    private static let steps = 60

    let store: ArtifactStore
    var random: SeededGenerator
    /// Part of every tag: no two runs publish under one.
    let prefix: String
    private var published: [Tag] = []
    private var pages: [ManifestSubmission] = []
    private var count = 0
    private let name: ArtifactName
    private static let clock = WorkClock()

    static func open(_ path: String, _ files: any FileOperations) throws -> ArtifactStore {
        try ArtifactStore(
            StoreConfiguration(
                path: path, reserve: 0, clock: { 1000 }, monotonicClock: { clock.now }, files: files
            ))
    }

    init(store: ArtifactStore, random: SeededGenerator, prefix: String) throws {
        self.store = store
        self.random = random
        self.prefix = prefix
        name = try ArtifactName("debian")
    }

    mutating func run() async throws {
        for _ in 0..<Self.steps {
            switch random.next() % 12 {
            case 0, 1: try await upload()
            case 2, 3: _ = try await batch()
            case 4, 5: try await publish()
            case 6: try await publishTree()
            case 7: try await promote()
            case 8: try delete()
            case 9: try collect()
            case 10: _ = try await store.scrubNext { _ in }
            default: try store.keepNames()
            }
        }
    }

    private mutating func upload() async throws {
        let bytes = random.bytes(Int(random.next() % 3000))
        let digest = SHA256.digest(of: bytes)
        let upload = try store.beginUpload(
            name: name, size: random.next().isMultiple(of: 2) ? Int64(bytes.count) : nil)
        defer { store.forget(upload) }
        let turn = try await upload.begin(at: 0)
        let cut = bytes.count / 3
        try await upload.append(Array(bytes[..<cut]), turn: turn)
        try await upload.checkpoint(turn: turn)
        try await upload.append(Array(bytes[cut...]), turn: turn)
        try await upload.finish(digest, turn: turn)
        Told.line("blob \(digest) \(bytes.count)")
    }

    private mutating func batch() async throws -> [SmallBlob] {
        let blobs = (0..<(1 + random.next() % 12)).map { _ in
            let bytes = random.bytes(Int(random.next() % 500))
            return SmallBlob(digest: SHA256.digest(of: bytes), bytes: bytes)
        }
        try await store.storeBatch(blobs, name: name)
        for blob in blobs { Told.line("blob \(blob.digest) \(blob.bytes.count)") }
        return blobs
    }

    private mutating func manifest() async throws -> ManifestSubmission {
        let blobs = try await batch()
        count += 1
        let layers = blobs.enumerated().map { number, blob in
            Descriptor(
                mediaType: MediaType.file, digest: blob.digest, size: Int64(blob.bytes.count),
                annotations: [AnnotationKey.title: "\(prefix)-\(1000 + count)/f\(100 + number)"])
        }
        let configuration = Descriptor(
            mediaType: MediaType.imageConfiguration, digest: blobs[0].digest, size: Int64(blobs[0].bytes.count))
        let bytes = try Manifest(configuration: configuration, layers: layers).canonicalJSON()
        return ManifestSubmission(
            name: name, version: .digest(SHA256.digest(of: bytes)), mediaType: MediaType.imageManifest, bytes: bytes)
    }

    private mutating func publish() async throws {
        let submission = try await manifest()
        let tag = try Tag("\(prefix)-\(count)")
        let digest = try await store.publish(
            submission.bytes, mediaType: submission.mediaType, name: name, version: .tag(tag))
        Told.line("tag \(tag) \(digest)")
        published.append(tag)
    }

    private mutating func publishTree() async throws {
        let pages = [try await manifest(), try await manifest()]
        let index = try Manifest(
            tree: pages.map {
                Descriptor(
                    mediaType: MediaType.imageManifest, digest: SHA256.digest(of: $0.bytes),
                    size: Int64($0.bytes.count))
            }
        ).canonicalJSON()
        let tag = try Tag("\(prefix)-\(count)-tree")
        let digests = try await store.publish(
            pages + [
                ManifestSubmission(name: name, version: .tag(tag), mediaType: MediaType.imageIndex, bytes: index)
            ]
        ) { _ in true }
        Told.line("tag \(tag) \(digests[2])")
        published.append(tag)
    }

    private mutating func promote() async throws {
        guard let tag = published.randomElement(using: &random) else { return }
        let channel = try Tag("prod")
        Told.line("moving")
        let move = try await store.promote(.tag(tag), to: channel, name: name)
        Told.line("tag \(channel) \(move.digest)")
    }

    private mutating func delete() throws {
        guard let position = published.indices.randomElement(using: &random) else { return }
        let tag = published.remove(at: position)
        Told.line("deleting \(tag)")
        let digest = try store.manifest(.tag(tag), name: name).digest
        do {
            try store.delete(manifest: digest, name: name)
        } catch {
            // A channel names it.
            guard error.code == .inUse else { throw error }
            try store.delete(tag, name: name)
        }
    }

    /// A day later nobody's lease holds: what was never published may go.
    private func collect() throws {
        Told.line("a day later")
        Self.clock.advance(24 * 3600 + 10)
        var rules = CollectionRules()
        rules.grace = 0
        rules.readTime = 0
        rules.trashTime = 0
        rules.hasBrake = false
        rules.batch = 3
        try store.collect(rules)
    }
}

/// Seconds that only this program moves.
private final class WorkClock: Sendable {
    private let seconds = Mutex<Int64>(0)

    var now: Int64 { seconds.withLock { $0 } }
    func advance(_ count: Int64) { seconds.withLock { $0 += count } }
}
