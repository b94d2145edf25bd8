internal import Artifacts
internal import ControlAPI
internal import Foundation
internal import NIOCore

/// Publishes many artifacts of a few files, a group of them with one request each for asking, sending and publishing.
struct ManyPush {
    private static let groupSize = 200
    private static let groupFiles = 2000
    /// Bytes of a group's manifests; as text in JSON they take up to twice that.
    private static let groupContent = ManifestBatch.maximumSize / 4

    /// A version to publish, with its files by path.
    struct Artifact {
        let reference: Reference
        let tag: Tag
        let files: [(path: ArtifactPath, file: String)]

        /// - Throws: `ArtifactError`, also when there are no files.
        init(_ entry: PushManyCommand.Entry) throws(ArtifactError) {
            reference = try Reference(entry.reference)
            guard case .tag(let tag) = reference.version else {
                throw ArtifactError(.invalidReference, "'\(reference)' is a digest: publish under a tag, NAME:TAG")
            }
            self.tag = tag
            var files: [(path: ArtifactPath, file: String)] = []
            for (path, file) in entry.files { files.append((try ArtifactPath(path), file)) }
            self.files = files.sorted { $0.path < $1.path }
            guard !files.isEmpty else { throw ArtifactError(.invalidManifest, "\(reference) has no files") }
        }
    }

    struct Published: Codable {
        var reference: String
        /// Of the manifest.
        var digest: Digest
    }

    /// A file that was hashed; it is opened again when it is sent.
    private struct Hashed {
        let path: ArtifactPath
        let place: String
        let file: ReleaseFile

        /// - Throws: `OperatorError` `file` when it is not as long as it was.
        func open() throws -> LocalFile {
            let local = try LocalFile(place, path: path)
            guard local.size == file.size else {
                throw OperatorError(.file, "\(place) has changed while it was read: push again")
            }
            return local
        }
    }

    let client: ControlClient
    let progress: ProgressReport
    var memoryPath = UploadMemory.path(environment: ProcessInfo.processInfo.environment)

    func run(_ artifacts: [Artifact]) async throws -> [Published] {
        var published: [Published] = []
        var group = Group()
        progress.begin("publish \(artifacts.count) versions", total: Int64(artifacts.count), counting: true)
        for artifact in artifacts {
            let hashed = try artifact.files.map { path, place in
                let file = try LocalFile(place, path: path)
                let digest = try file.digest { _ in }
                return Hashed(path: path, place: place, file: ReleaseFile(digest: digest, size: file.size))
            }
            let content = String(decoding: try Self.manifest(hashed).canonicalJSON(), as: UTF8.self)
            if group.isFull(with: content, hashed.count) {
                published += try await publish(group)
                group = Group()
                progress.update(Int64(published.count))
            }
            group.add(artifact, content, hashed)
        }
        published += try await publish(group)
        progress.end("done")
        return published
    }

    private static func manifest(_ files: [Hashed]) -> Manifest {
        Manifest(
            configuration: Push.configurationDescriptor,
            layers: files.map { hashed in
                Descriptor(
                    mediaType: MediaType.file, digest: hashed.file.digest, size: hashed.file.size,
                    annotations: [AnnotationKey.title: hashed.path.description])
            })
    }

    /// What goes together.
    private struct Group {
        var references: [String] = []
        var manifests: [ManifestBatch.Entry] = []
        var files: [ArtifactName: [Hashed]] = [:]
        private var contentSize = 0
        private var fileCount = 0

        func isFull(with content: String, _ count: Int) -> Bool {
            guard !manifests.isEmpty else { return false }
            return manifests.count == ManyPush.groupSize || fileCount + count > ManyPush.groupFiles
                || contentSize + content.utf8.count > ManyPush.groupContent
        }

        mutating func add(_ artifact: Artifact, _ content: String, _ hashed: [Hashed]) {
            references.append(artifact.reference.description)
            manifests.append(
                ManifestBatch.Entry(
                    name: artifact.reference.name.description, tag: artifact.tag.description,
                    mediaType: MediaType.imageManifest, content: content))
            files[artifact.reference.name, default: []] += hashed
            contentSize += content.utf8.count
            fileCount += hashed.count
        }
    }

    private func publish(_ group: Group) async throws -> [Published] {
        for (name, files) in group.files { try await send(files, name) }
        let digests = try await BlobBatchUpload.publish(group.manifests, client)
        return zip(group.references, digests).map { Published(reference: $0, digest: $1) }
    }

    /// Sends what the server does not have of the files of one name, and the configuration.
    private func send(_ files: [Hashed], _ name: ArtifactName) async throws {
        let batch = BlobBatchUpload(client: client, name: name)
        let configuration = Push.configurationDescriptor.digest
        var missing = try await batch.missing(files.map(\.file.digest) + [configuration])
        var small: [(digest: Digest, bytes: ByteBuffer)] = []
        var size = 0
        if missing.remove(configuration) != nil { small.append((configuration, ByteBuffer(bytes: Push.configuration))) }
        for hashed in files where missing.remove(hashed.file.digest) != nil {
            let local = try hashed.open()
            guard hashed.file.size <= BlobBatchUpload.largest else {
                let memory = UploadMemory(path: memoryPath, server: client.connection.place.description)
                try await BlobUpload(client: client, name: name, memory: memory).send(local, digest: hashed.file.digest)
                {
                    _ in
                }
                continue
            }
            if small.count == BlobBatchUpload.count || size + Int(hashed.file.size) > BlobBatchUpload.size {
                try await batch.send(small)
                (small, size) = ([], 0)
            }
            small.append((hashed.file.digest, try local.piece(at: 0)))
            size += Int(hashed.file.size)
        }
        try await batch.send(small)
    }
}
