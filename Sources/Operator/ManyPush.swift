internal import Artifacts
internal import ControlAPI
internal import Foundation
internal import NIOCore

/// Publishes many artifacts of a few files, a group of them with one request each for asking, sending and publishing.
struct ManyPush {
    private static let groupSize = 200

    /// A version to publish, with its files by path.
    struct Artifact {
        let reference: Reference
        let tag: Tag
        let files: [(path: ArtifactPath, file: String)]

        /// - Throws: `ArtifactError`; `OperatorError` `file` when there are no files.
        init(_ entry: PushManyCommand.Entry) throws {
            reference = try Reference(entry.reference)
            guard case .tag(let tag) = reference.version else {
                throw ArtifactError(.invalidReference, "'\(reference)' is a digest: publish under a tag, NAME:TAG")
            }
            self.tag = tag
            files = try entry.files.map { (try ArtifactPath($0.key), $0.value) }.sorted { $0.path < $1.path }
            guard !files.isEmpty else {
                throw ArtifactError(.invalidManifest, "\(reference) has no files")
            }
        }
    }

    struct Published: Codable {
        var reference: String
        /// Of the manifest.
        var digest: Digest
    }

    let client: ControlClient
    let progress: ProgressReport
    var memoryPath = UploadMemory.path(environment: ProcessInfo.processInfo.environment)

    func run(_ artifacts: [Artifact]) async throws -> [Published] {
        var published: [Published] = []
        progress.begin("publish \(artifacts.count) versions", total: Int64(artifacts.count), counting: true)
        for start in stride(from: 0, to: artifacts.count, by: Self.groupSize) {
            let group = artifacts[start..<min(artifacts.count, start + Self.groupSize)]
            published += try await publish(Array(group))
            progress.update(Int64(published.count))
        }
        progress.end("done")
        return published
    }

    private func publish(_ group: [Artifact]) async throws -> [Published] {
        var manifests: [ManifestBatch.Entry] = []
        var files: [ArtifactName: [LocalFile]] = [:]
        var digests: [ArtifactName: [Digest]] = [:]
        for artifact in group {
            var layers: [Descriptor] = []
            for (path, place) in artifact.files {
                let file = try LocalFile(place, path: path)
                let digest = try file.digest { _ in }
                files[artifact.reference.name, default: []].append(file)
                digests[artifact.reference.name, default: []].append(digest)
                layers.append(
                    Descriptor(
                        mediaType: MediaType.file, digest: digest, size: file.size,
                        annotations: [AnnotationKey.title: path.description]))
            }
            let manifest = Manifest(configuration: Push.configurationDescriptor, layers: layers)
            manifests.append(
                ManifestBatch.Entry(
                    name: artifact.reference.name.description, tag: artifact.tag.description,
                    mediaType: MediaType.imageManifest,
                    content: String(decoding: try manifest.canonicalJSON(), as: UTF8.self)))
        }
        for (name, files) in files { try await send(files, digests[name] ?? [], name) }
        let published = try await BlobBatchUpload.publish(manifests, client)
        return zip(group, published).map { Published(reference: $0.reference.description, digest: $1) }
    }

    /// Sends what the server does not have of the files of one name, and the configuration.
    private func send(_ files: [LocalFile], _ digests: [Digest], _ name: ArtifactName) async throws {
        let batch = BlobBatchUpload(client: client, name: name)
        let configuration = Push.configurationDescriptor.digest
        var missing = try await batch.missing(digests + [configuration])
        var small: [(digest: Digest, bytes: ByteBuffer)] = []
        var size = 0
        if missing.remove(configuration) != nil { small.append((configuration, ByteBuffer(bytes: Push.configuration))) }
        for (file, digest) in zip(files, digests) where missing.remove(digest) != nil {
            guard file.size <= BlobBatchUpload.largest else {
                let memory = UploadMemory(path: memoryPath, server: client.connection.place.description)
                try await BlobUpload(client: client, name: name, memory: memory).send(file, digest: digest) { _ in }
                continue
            }
            if small.count == BlobBatchUpload.count || size + Int(file.size) > BlobBatchUpload.size {
                try await batch.send(small)
                (small, size) = ([], 0)
            }
            small.append((digest, try file.piece(at: 0)))
            size += Int(file.size)
        }
        try await batch.send(small)
    }
}
