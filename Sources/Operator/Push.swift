internal import Artifacts
internal import AsyncHTTPClient
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
        let upload = BlobUpload(client: client, name: reference.name)
        var sent: [PushResult.File] = []
        for file in files {
            progress.begin("hash \(file.path)", total: file.size)
            let digest = try file.digest { progress.update($0) }
            progress.end("\(digest)")
            let isThere = try await upload.isThere(digest)
            if isThere {
                progress.begin("send \(file.path)", total: file.size, done: file.size)
                progress.end("the server has it")
            } else {
                try await send(file, digest, upload)
            }
            sent.append(PushResult.File(path: file.path.description, digest: digest, size: file.size, sent: !isThere))
        }
        let digest = try await publish(sent, tag, upload)
        return PushResult(reference: reference.description, digest: digest, files: sent)
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

    private func publish(_ files: [PushResult.File], _ tag: Tag, _ upload: BlobUpload) async throws -> Digest {
        let configuration = Array(
            #"{"architecture":"unknown","config":{},"os":"unknown","rootfs":{"diff_ids":[],"type":"layers"}}"#.utf8)
        let configurationDigest = SHA256.digest(of: configuration)
        if try await !upload.isThere(configurationDigest) {
            try await upload.send(configuration, digest: configurationDigest)
        }
        let manifest = Manifest(
            configuration: Descriptor(
                mediaType: MediaType.imageConfiguration, digest: configurationDigest, size: Int64(configuration.count)),
            layers: files.sorted { $0.path < $1.path }.map { file in
                Descriptor(
                    mediaType: MediaType.file, digest: file.digest, size: file.size,
                    annotations: [AnnotationKey.title: file.path])
            })
        let bytes = try manifest.canonicalJSON()
        _ = try await client.require(
            [201], .PUT, "/v2/\(reference.name)/manifests/\(tag)", headers: [("content-type", MediaType.imageManifest)],
            body: .bytes(bytes))
        return SHA256.digest(of: bytes)
    }
}

/// How far a transfer is, told from one thread to another.
final class SentBytes: Sendable {
    private let count = Atomic<Int64>(0)

    var value: Int64 { count.load(ordering: .relaxed) }
    func set(_ value: Int64) { count.store(value, ordering: .relaxed) }
}
