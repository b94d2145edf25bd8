internal import Artifacts
internal import AsyncHTTPClient
internal import ControlAPI
internal import Foundation
internal import NIOHTTP1
internal import Synchronization

/// One push: hash, ask, send what is missing, publish.
struct Push {
    let client: ControlClient
    let reference: Reference
    let progress: ProgressReport
    /// How many files are sent at once.
    var parallel = 1
    /// Tell what would be sent, and send nothing.
    var isDryRun = false
    var memoryPath = UploadMemory.path(environment: ProcessInfo.processInfo.environment)

    func run(_ files: [LocalFile]) async throws -> PushResult {
        guard case .tag(let tag) = reference.version else {
            throw OperatorError(.refused, "publish under a tag, NAME:TAG")
        }
        // Whether the server lets this account in at all, with its words if not: before gigabytes are hashed.
        _ = try await client.require([200], .GET, "/v2/")
        let upload = BlobUpload(
            client: client, name: reference.name,
            memory: UploadMemory(path: memoryPath, server: client.connection.place.description))
        var result = try hash(files)
        let manifest = try Self.manifest(of: result.files).canonicalJSON()
        result.digest = SHA256.digest(of: manifest)
        try await TagState.of(tag, reference.name, client).require(result.digest, for: reference)
        var missing: [Int] = []
        var asked: Set<Digest> = []
        for (index, file) in result.files.enumerated() {
            // Two files with the same bytes are one blob.
            guard asked.insert(file.digest).inserted, try await !upload.isThere(file.digest) else {
                progress.note("send \(file.path): the server has it")
                continue
            }
            missing.append(index)
            result.files[index].sent = true
            if isDryRun { progress.note("send \(file.path): \(ByteCount(file.size)) would be sent") }
        }
        guard !isDryRun else {
            // Whether it may be sent at all, with the server's words if not: a session is opened and given back.
            if !missing.isEmpty {
                let opened = try await client.require([202], .POST, "/v2/\(reference.name)/blobs/uploads/")
                if let place = opened.headers.first(name: "location") { _ = try? await client.send(.DELETE, place) }
            }
            return result
        }
        try await send(missing.map { (files[$0], result.files[$0].digest) }, upload)
        _ = try await publish(manifest, tag, upload)
        return result
    }

    private func hash(_ files: [LocalFile]) throws -> PushResult {
        var hashed: [PushResult.File] = []
        for file in files {
            progress.begin("hash \(file.path)", total: file.size)
            let digest = try file.digest { progress.update($0) }
            progress.end("\(digest)")
            hashed.append(PushResult.File(path: file.path.description, digest: digest, size: file.size, sent: false))
        }
        return PushResult(reference: reference.description, digest: .empty, isDryRun: isDryRun, files: hashed)
    }

    /// Sends files, some at once, under one bar for all of them.
    private func send(_ files: [(file: LocalFile, digest: Digest)], _ upload: BlobUpload) async throws {
        guard !files.isEmpty else { return }
        let counter = SentBytes(files.map { $0.file.size })
        let label = files.count == 1 ? "send \(files[0].file.path)" : "send \(files.count) files"
        progress.begin(label, total: counter.total)
        try await withThrowingTaskGroup(of: Int?.self) { group in
            func start(_ index: Int) {
                let (file, digest) = files[index]
                if files.count > 1 { progress.note("send \(file.path) (\(ByteCount(file.size)))") }
                group.addTask {
                    try await upload.send(file, digest: digest) { counter.set($0, of: index) }
                    return index
                }
            }
            // The bytes are read on the HTTP client's threads; the bar is drawn here.
            func tick() {
                group.addTask {
                    try? await Task.sleep(for: .milliseconds(100))
                    return nil
                }
            }
            var next = min(max(1, parallel), files.count)
            for index in 0..<next { start(index) }
            tick()
            var left = files.count
            while left > 0, let finished = try await group.next() {
                if let finished {
                    left -= 1
                    if files.count > 1 { progress.note("send \(files[finished].file.path): sent") }
                    if next < files.count {
                        start(next)
                        next += 1
                    }
                } else {
                    tick()
                }
                progress.update(counter.value)
            }
            group.cancelAll()
        }
        progress.end("sent")
    }

    /// What every manifest that this program makes has as its configuration.
    static let configuration = Array(
        #"{"architecture":"unknown","config":{},"os":"unknown","rootfs":{"diff_ids":[],"type":"layers"}}"#.utf8)

    static var configurationDescriptor: Descriptor {
        Descriptor(
            mediaType: MediaType.imageConfiguration, digest: SHA256.digest(of: configuration),
            size: Int64(configuration.count))
    }

    private static func manifest(of files: [PushResult.File]) -> Manifest {
        Manifest(
            configuration: configurationDescriptor,
            layers: files.sorted { $0.path < $1.path }.map { file in
                Descriptor(
                    mediaType: MediaType.file, digest: file.digest, size: file.size,
                    annotations: [AnnotationKey.title: file.path])
            })
    }

    private func publish(_ manifest: [UInt8], _ tag: Tag, _ upload: BlobUpload) async throws -> Digest {
        let configurationDigest = SHA256.digest(of: Self.configuration)
        if try await !upload.isThere(configurationDigest) {
            try await upload.send(Self.configuration, digest: configurationDigest)
        }
        _ = try await client.require(
            [201], .PUT, "/v2/\(reference.name)/manifests/\(tag)", headers: [("content-type", MediaType.imageManifest)],
            body: .bytes(manifest))
        return SHA256.digest(of: manifest)
    }
}

/// How far transfers are, told from many threads to one.
final class SentBytes: Sendable {
    /// Of all files.
    let total: Int64
    private let counts: Mutex<[Int64]>

    /// The sizes of the files.
    init(_ sizes: [Int64]) {
        total = sizes.reduce(0, +)
        counts = Mutex(Array(repeating: 0, count: sizes.count))
    }

    var value: Int64 { counts.withLock { $0.reduce(0, +) } }
    func set(_ value: Int64, of index: Int) { counts.withLock { $0[index] = value } }
}
