internal import Artifacts
internal import AsyncHTTPClient
internal import ControlAPI
internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// Publishes a folder: files go in groups, each hashed, asked about and sent, so that a push that is killed has kept what it
/// has sent, and the next one sends only what is missing.
struct TreePush {
    let client: ControlClient
    let reference: Reference
    let progress: ProgressReport
    /// How many groups are under way at once.
    var parallel = 2
    var isDryRun = false
    /// What vouches for the version: it is there before the version is.
    var evidence: EvidenceDraft?
    var memoryPath = UploadMemory.path(environment: ProcessInfo.processInfo.environment)

    private var batch: BlobBatchUpload {
        BlobBatchUpload(client: client, name: reference.name, isDryRun: isDryRun)
    }

    func run(_ tree: LocalTree) async throws -> TreePushResult {
        guard case .tag(let tag) = reference.version else {
            throw OperatorError(.refused, "publish under a tag, NAME:TAG")
        }
        // Whether the server lets this account in at all, with its words if not: before gigabytes are hashed.
        _ = try await client.require([200], .GET, "/v2/")
        let state = try await TagState.of(tag, reference.name, client)
        var files: [ReleaseFile]?
        if case .version = state {
            // Only the same files may be pushed to it: nothing is sent before that is known.
            let hashed = try await work(on: tree, label: "hash") { group, count in
                try await Self.hash(group, of: tree, isLast: true) { count($0) }.map(\.file)
            }
            files = hashed
            var pages: [Descriptor] = []
            try await forEachPage(tree, hashed) { page in pages.append(page.descriptor) }
            try state.require(try Self.index(of: pages).digest, for: reference)
        }
        let sent = DoneWork()
        let known = files
        let label = isDryRun ? "compare" : "push"
        let sending = SendingGroup(
            upload: BlobUpload(
                client: client, name: reference.name,
                memory: UploadMemory(path: memoryPath, server: client.connection.place.description)),
            batch: batch, isDryRun: isDryRun, sent: sent)
        let pushed = try await work(on: tree, label: label) { group, count in
            let hashed = try await Self.hash(group, of: tree, known: known, isLast: false) { count($0) }
            try await sending.send(hashed, of: tree, group, count)
            return hashed.map(\.file)
        }
        let published = try await publish(tree, pushed, tag)
        return TreePushResult(
            reference: reference.description, digest: published.digest, isDryRun: isDryRun,
            fileCount: tree.files.count, size: tree.size, sentCount: sent.total.count, sentSize: sent.total.bytes,
            pageCount: published.pageCount, sentPageCount: published.sentPageCount)
    }

    // MARK: Files

    /// Runs `body` for groups of files, some at once, under one bar for all. It is told a group, and where to tell the bytes
    /// that it has done.
    /// - Returns: what it said of each file, in the files' order.
    private func work(
        on tree: LocalTree, label: String,
        _ body: @escaping @Sendable (Range<Int>, @escaping @Sendable (Int64) -> Void) async throws -> [ReleaseFile]
    ) async throws -> [ReleaseFile] {
        let groups = Self.groups(tree.files)
        let done = DoneWork()
        progress.begin("\(label) \(tree.files.count) files", total: tree.size)
        let results = try await ParallelTasks.run(
            groups.count, atOnce: parallel, watch: { progress.update(done.total.bytes) },
            body: { number in try await body(groups[number]) { done.add($0) } })
        progress.end("done")
        return Array(results.joined())
    }

    /// Files that follow one another, as many as a batch may have.
    static func groups(_ files: [LocalTree.File]) -> [Range<Int>] {
        var groups: [Range<Int>] = []
        var start = 0
        var size: Int64 = 0
        for (number, file) in files.enumerated() {
            let share = min(file.size, Int64(BlobBatchUpload.largest)) + Int64(BlobBatch.headerSize)
            if number > start, number - start == BlobBatchUpload.count || size + share > BlobBatchUpload.size {
                groups.append(start..<number)
                start = number
                size = 0
            }
            size += share
        }
        if start < files.count { groups.append(start..<files.count) }
        return groups
    }

    /// A file with its digest, and its bytes when it is small.
    struct HashedFile: Sendable {
        let file: ReleaseFile
        let bytes: ByteBuffer?
    }

    /// Of a large file that is still to be sent, half of the bytes count when they are hashed, and half when they are sent.
    static func share(_ size: Int64) -> Int64 { size / 2 }

    private static func hash(
        _ group: Range<Int>, of tree: LocalTree, known: [ReleaseFile]? = nil, isLast: Bool,
        _ count: @Sendable (Int64) -> Void
    ) async throws -> [HashedFile] {
        var hashed: [HashedFile] = []
        for number in group {
            try Task.checkCancellation()
            let entry = tree.files[number]
            let isSmall = entry.size <= BlobBatchUpload.largest
            if let known, !isSmall {
                count(share(entry.size))
                hashed.append(HashedFile(file: known[number], bytes: nil))
                continue
            }
            let file = try LocalFile(tree.place(of: entry.path), path: entry.path)
            guard file.size == entry.size else {
                throw OperatorError(.file, "\(file.name) has changed while the folder was read: push again")
            }
            if isSmall {
                let bytes = try file.piece(at: 0)
                guard bytes.readableBytes == Int(file.size) else {
                    throw OperatorError(.file, "\(file.name) became shorter while it was read")
                }
                count(file.size)
                hashed.append(
                    HashedFile(
                        file: ReleaseFile(digest: SHA256.digest(of: bytes.readableBytesView), size: file.size),
                        bytes: bytes))
                continue
            }
            let digester = FileDigester(file, known: nil)
            var offset: Int64 = 0
            while offset < file.size {
                let piece = try file.piece(at: offset)
                try digester.see(piece, at: offset)
                let end = offset + Int64(piece.readableBytes)
                count(isLast ? end - offset : share(end) - share(offset))
                offset = end
                // The bar and the other groups have their turn.
                try Task.checkCancellation()
                await Task.yield()
            }
            hashed.append(HashedFile(file: ReleaseFile(digest: try digester.finish(), size: file.size), bytes: nil))
        }
        return hashed
    }

    // MARK: Manifests

    private struct Page {
        let descriptor: Descriptor
        let content: String
    }

    /// The pages one after another: they are not in memory together.
    private func forEachPage(
        _ tree: LocalTree, _ files: [ReleaseFile], _ body: (Page) async throws -> Void
    ) async throws {
        var cutter = TreePages(configuration: Push.configurationDescriptor)
        func give(_ manifest: Manifest?) async throws {
            guard let manifest else { return }
            let bytes = try manifest.canonicalJSON()
            let descriptor = Descriptor(
                mediaType: MediaType.imageManifest, digest: SHA256.digest(of: bytes), size: Int64(bytes.count))
            try await body(Page(descriptor: descriptor, content: String(decoding: bytes, as: UTF8.self)))
        }
        for (entry, file) in zip(tree.files, files) { try await give(cutter.add(entry.path, file)) }
        try await give(cutter.end())
    }

    private static func index(of pages: [Descriptor]) throws -> (digest: Digest, bytes: [UInt8]) {
        let bytes = try Manifest(tree: pages).canonicalJSON()
        return (SHA256.digest(of: bytes), bytes)
    }

    /// Publishes the pages that the server does not have, and the index under the tag. In a dry run nothing is sent, and
    /// `sentPageCount` is what would be.
    private func publish(_ tree: LocalTree, _ files: [ReleaseFile], _ tag: Tag) async throws -> (
        digest: Digest, pageCount: Int, sentPageCount: Int
    ) {
        let name = reference.name
        let configuration = Push.configurationDescriptor.digest
        if !isDryRun, try await batch.missing([configuration]).contains(configuration) {
            try await batch.send([(configuration, ByteBuffer(bytes: Push.configuration))])
        }
        var pages: [Descriptor] = []
        var sentCount = 0
        // A page takes up to twice its size as a text in JSON.
        var group: [ManifestBatch.Entry] = []
        var size = 0
        try await forEachPage(tree, files) { page in
            pages.append(page.descriptor)
            var isThere = false
            try await BlobBatchUpload.retrying {
                let place = "/v2/\(name)/manifests/\(page.descriptor.digest)"
                isThere = try await client.send(.HEAD, place).status.code == 200
            }
            guard !isThere else { return }
            sentCount += 1
            guard !isDryRun else { return }
            if size + page.content.utf8.count > ManifestBatch.maximumSize / 4 {
                _ = try await BlobBatchUpload.publish(group, client)
                (group, size) = ([], 0)
            }
            group.append(
                ManifestBatch.Entry(
                    name: name.description, tag: nil, mediaType: MediaType.imageManifest, content: page.content))
            size += page.content.utf8.count
        }
        let index = try Self.index(of: pages)
        guard !isDryRun else { return (index.digest, pages.count, sentCount) }
        _ = try await BlobBatchUpload.publish(group, client)
        try await evidence?.attach(
            to: index.bytes, mediaType: MediaType.imageIndex, name: name, files: tree.files.map(\.path), client)
        try await BlobBatchUpload.retrying {
            _ = try await client.require(
                [201], .PUT, "/v2/\(name)/manifests/\(tag)", headers: [("content-type", MediaType.imageIndex)],
                body: .bytes(ByteBuffer(bytes: index.bytes)))
        }
        return (index.digest, pages.count, sentCount)
    }
}

/// What a push of a folder did, for `--json`.
struct TreePushResult: Codable {
    var reference: String
    /// Of the index.
    var digest: Digest
    var isDryRun: Bool
    var fileCount: Int
    /// Bytes of all files.
    var size: Int64
    /// Files that the server did not have; in a dry run, that would be sent.
    var sentCount: Int
    var sentSize: Int64
    /// Manifests that list the files.
    var pageCount: Int
    var sentPageCount: Int
}
