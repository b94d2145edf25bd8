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

    func run(_ files: [LocalFile]) async throws -> PushResult {
        guard case .tag(let tag) = reference.version else {
            throw OperatorError(.refused, "publish under a tag, NAME:TAG")
        }
        // Whether the server lets this account in at all, with its words if not: before gigabytes are hashed.
        _ = try await client.require([200], .GET, "/v2/")
        let upload = BlobUpload(client: client, name: reference.name)
        var hashed: [PushResult.File] = []
        for file in files {
            progress.begin("hash \(file.path)", total: file.size)
            let digest = try file.digest { progress.update($0) }
            progress.end("\(digest)")
            hashed.append(PushResult.File(path: file.path.description, digest: digest, size: file.size, sent: false))
        }
        let manifest = try Self.manifest(of: hashed).canonicalJSON()
        try await requireFree(tag, for: SHA256.digest(of: manifest))
        for (index, file) in files.enumerated() {
            let digest = hashed[index].digest
            if try await upload.isThere(digest) {
                progress.begin("send \(file.path)", total: file.size, done: file.size)
                progress.end("the server has it")
            } else {
                try await send(file, digest, upload)
                hashed[index].sent = true
            }
        }
        let digest = try await publish(manifest, tag, upload)
        return PushResult(reference: reference.description, digest: digest, files: hashed)
    }

    /// Asked before a byte is sent: a version that is published is not pushed over, and gigabytes later is late to say so.
    private func requireFree(_ tag: Tag, for digest: Digest) async throws {
        let response = try await client.send(.HEAD, "/v2/\(reference.name)/manifests/\(tag)")
        guard response.status.code == 200, let other = response.headers.first(name: ControlHeader.contentDigest),
            other != digest.description
        else { return }
        if try await isChannel(tag, at: other) { return }
        throw OperatorError(
            .refused, "\(reference) is published with other files and immutable (\(other)): publish under another tag")
    }

    /// Whether a tag is a channel that stands at a digest.
    private func isChannel(_ tag: Tag, at digest: String) async throws -> Bool {
        let response = try await client.send(.GET, "\(ControlPath.channels)/\(reference.name):\(tag)")
        guard response.status.code == 200 else { return false }
        let report = try JSONDecoder().decode(ChannelReport.self, from: Data(await ControlClient.bytes(of: response)))
        return report.moves.first?.digest.description == digest
    }

    private func send(_ file: LocalFile, _ digest: Digest, _ upload: BlobUpload) async throws {
        progress.begin("send \(file.path)", total: file.size)
        // The bytes are read on the HTTP client's threads; the bar is drawn here.
        let counter = SentBytes()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await upload.send(file, digest: digest) { counter.set($0) }
                return true
            }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(100))
                return false
            }
            while let isFinished = try await group.next() {
                progress.update(counter.value)
                if isFinished {
                    group.cancelAll()
                    break
                }
                group.addTask {
                    try? await Task.sleep(for: .milliseconds(100))
                    return false
                }
            }
        }
        progress.end("sent")
    }

    private static let configuration = Array(
        #"{"architecture":"unknown","config":{},"os":"unknown","rootfs":{"diff_ids":[],"type":"layers"}}"#.utf8)

    private static func manifest(of files: [PushResult.File]) -> Manifest {
        Manifest(
            configuration: Descriptor(
                mediaType: MediaType.imageConfiguration, digest: SHA256.digest(of: configuration),
                size: Int64(configuration.count)),
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

/// How far a transfer is, told from one thread to another.
final class SentBytes: Sendable {
    private let count = Atomic<Int64>(0)

    var value: Int64 { count.load(ordering: .relaxed) }
    func set(_ value: Int64) { count.store(value, ordering: .relaxed) }
}
