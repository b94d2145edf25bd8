internal import Artifacts
internal import AsyncHTTPClient
internal import ControlAPI
internal import Foundation
internal import NIOHTTP1
internal import Synchronization

/// One push: hash, ask, send what is missing, publish.
struct Push {
    /// Bytes from which on it is worth while to ask whether a file has to be hashed first.
    private static let large: Int64 = 64 << 20

    let client: ControlClient
    let reference: Reference
    let progress: ProgressReport
    /// How many files are sent at once.
    var parallel = 1
    /// Tell what would be sent, and send nothing.
    var isDryRun = false
    /// What vouches for the version: it is there before the version is.
    var evidence: EvidenceDraft?
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
        let state = try await TagState.of(tag, reference.name, client)
        let unhashed = try await unhashed(files, state)
        var result = try hash(files, but: unhashed)
        if unhashed.isEmpty {
            result.digest = SHA256.digest(of: try Self.manifest(of: result.files).canonicalJSON())
            try state.require(result.digest, for: reference)
        }
        var missing: [Int] = []
        var asked: Set<Digest> = []
        // One file under two names is sent once.
        var first: [Digest: Int] = [:]
        for (index, file) in result.files.enumerated() {
            if unhashed.contains(index) {
                guard first.updateValue(index, forKey: files[index].identity) == nil else { continue }
            } else {
                // Two files with the same bytes are one blob.
                guard asked.insert(file.digest).inserted, try await !upload.isThere(file.digest) else {
                    progress.note("send \(file.path): the server has it")
                    continue
                }
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
        let digests = try await send(
            missing.map { (files[$0], unhashed.contains($0) ? nil : result.files[$0].digest) }, upload)
        var sent: [Digest: Digest] = [:]
        for (index, digest) in zip(missing, digests) {
            result.files[index].digest = digest
            sent[files[index].identity] = digest
        }
        for index in unhashed where !result.files[index].sent {
            guard let digest = sent[files[index].identity] else {
                throw OperatorError(.file, "\(files[index].name) has changed while it was sent: push again")
            }
            result.files[index].digest = digest
        }
        let manifest = try Self.manifest(of: result.files).canonicalJSON()
        try await evidence?.attach(
            to: manifest, mediaType: MediaType.imageManifest, name: reference.name, files: files.map(\.path), client)
        result.digest = try await publish(manifest, tag, upload)
        return result
    }

    /// Large files that the server surely does not have, by their sizes: they are hashed while they are sent. Not where the
    /// tag is a version: there nothing is sent before it is known that the files are the same.
    private func unhashed(_ files: [LocalFile], _ state: TagState) async throws -> Set<Int> {
        if case .version = state { return [] }
        guard !isDryRun else { return [] }
        let large = files.indices.filter { files[$0].size >= Self.large }
        let held = try await BlobBatchUpload(client: client, name: reference.name)
            .heldSizes(among: large.map { files[$0].size })
        return Set(large.filter { !held.contains(files[$0].size) })
    }

    private func hash(_ files: [LocalFile], but unhashed: Set<Int>) throws -> PushResult {
        var hashed: [PushResult.File] = []
        for (index, file) in files.enumerated() {
            guard !unhashed.contains(index) else {
                hashed.append(
                    PushResult.File(path: file.path.description, digest: .empty, size: file.size, sent: false))
                continue
            }
            progress.begin("hash \(file.path)", total: file.size)
            let digest = try file.digest { progress.update($0) }
            progress.end("\(digest)")
            hashed.append(PushResult.File(path: file.path.description, digest: digest, size: file.size, sent: false))
        }
        return PushResult(reference: reference.description, digest: .empty, isDryRun: isDryRun, files: hashed)
    }

    /// Sends files, some at once, under one bar for all of them; those without a digest are hashed on the way.
    /// - Returns: their digests.
    private func send(_ files: [(file: LocalFile, digest: Digest?)], _ upload: BlobUpload) async throws -> [Digest] {
        guard !files.isEmpty else { return [] }
        let counter = SentBytes(files.map { $0.file.size })
        let isOne = files.count == 1
        progress.begin(
            isOne ? "send \(files[0].file.path)" : "send \(files.count) files", total: counter.total)
        let digests = try await ParallelTasks.run(
            files.count, atOnce: parallel,
            started: { if !isOne { progress.note("send \(files[$0].file.path) (\(ByteCount(files[$0].file.size)))") } },
            ended: { if !isOne { progress.note("send \(files[$0].file.path): sent") } },
            watch: { progress.update(counter.value) },
            body: { index in
                let (file, digest) = files[index]
                guard let digest else { return try await upload.sendUnhashed(file) { counter.set($0, of: index) } }
                try await upload.send(file, digest: digest) { counter.set($0, of: index) }
                return digest
            })
        progress.end("sent")
        return digests
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
