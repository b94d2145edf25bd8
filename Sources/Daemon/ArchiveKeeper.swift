internal import Archives
internal import Artifacts
internal import ConfinedReader
internal import Glibc
internal import Logging
internal import ServiceLifecycle
internal import Store

/// Looks into archives that were published, one after another, and makes their views.
struct ArchiveKeeper: Service {
    let store: ArtifactStore
    let views: ArchiveViewDirectory
    let logger: Logger
    private let builder = ArchiveViewBuilder(reader: ConfinedArchiveReader())
    private let executor = BlockingTaskExecutor()

    init(store: ArtifactStore, views: ArchiveViewDirectory, logger: Logger) {
        self.store = store
        self.views = views
        self.logger = logger
    }

    func run() async throws {
        await withTaskExecutorPreference(executor) {
            await cancelWhenGracefulShutdown {
                await withTaskGroup(of: Void.self) { group in
                    // What failed for want of space or of a program is tried again.
                    group.addTask {
                        while (try? await Task.sleep(for: .seconds(3600))) != nil { store.wantArchiveViews() }
                    }
                    // Versions whose archives are all looked into, or that have none.
                    var settled: Set<Digest> = []
                    for await _ in store.viewsWanted { await lookInto(&settled) }
                    group.cancelAll()
                }
            }
        }
    }

    private func lookInto(_ settled: inout Set<Digest>) async {
        do {
            for archive in try store.archivesWithLostMembers() {
                unlink(views.viewPath(archive))
                settled = []
            }
        } catch {
            logger.error("views of archives: \(error)")
        }
        let archives = store.archives(but: &settled)
        for (digest, name, path, _) in archives where views.isUnknown(digest) {
            guard !Task.isCancelled, store.health.reason == nil else { return }
            let place = "\(name): \(path)"
            let sink = ArchiveMemberStore(store: store, name: name)
            do {
                guard let view = try await builder.build(store.blobPath(digest), into: sink) else {
                    try refuse(digest, "it is no ISO 9660 image, tar or zip archive, whatever its name says")
                    continue
                }
                try await sink.finish()
                try store.keep(view.blobs, of: digest)
                try SmallFile.write(views.viewPath(digest), ArchiveViewFile.encode(view), SystemFileOperations())
                logger.notice("\(place) is shown as a folder of \(view.fileCount) files")
            } catch let error as ArchiveError where error.code != .failure {
                await sink.abandon()
                logger.notice("\(place) is not shown as a folder: \(error)")
                try? refuse(digest, error.message)
            } catch {
                await sink.abandon()
                guard !(error is CancellationError) else { return }
                logger.error("\(place) cannot be looked into: \(error)")
            }
        }
        let open = Set(archives.filter { views.isUnknown($0.digest) }.map(\.version))
        settled.formUnion(archives.map(\.version).filter { !open.contains($0) })
    }

    private func refuse(_ archive: Digest, _ reason: String) throws {
        try SmallFile.write(views.refusalPath(archive), Array(reason.utf8), SystemFileOperations())
    }
}

/// Stores members that were compressed as blobs of a name: small ones together, large ones as they come.
private actor ArchiveMemberStore: ArchiveMemberSink {
    private static let small = 256 << 10
    private static let group = 8 << 20

    private let store: ArtifactStore
    private let name: ArtifactName
    private var current: [UInt8] = []
    private var waiting: [SmallBlob] = []
    private var waitingSize = 0
    private var upload: (session: Upload, turn: Upload.Turn)?

    init(store: ArtifactStore, name: ArtifactName) {
        self.store = store
        self.name = name
    }

    func begin() { current.removeAll(keepingCapacity: true) }

    func append(_ bytes: [UInt8]) async throws {
        if let upload { return try await upload.session.append(bytes, turn: upload.turn) }
        current += bytes
        guard current.count > Self.small else { return }
        let session = try store.beginUpload(name: name, size: nil)
        let turn = try await session.begin(at: 0)
        upload = (session, turn)
        try await session.append(current, turn: turn)
        current = []
    }

    func end(_ digest: Digest, size: Int64) async throws {
        if let upload {
            self.upload = nil
            defer { store.forget(upload.session) }
            return try await upload.session.finish(digest, turn: upload.turn)
        }
        waiting.append(SmallBlob(digest: digest, bytes: current))
        waitingSize += current.count
        if waitingSize > Self.group || waiting.count > 1000 { try await finish() }
    }

    /// Gives up what is under way: the archive is not what it seemed.
    func abandon() async {
        guard let upload else { return }
        self.upload = nil
        try? await upload.session.cancel()
        store.forget(upload.session)
    }

    /// Stores what still waits.
    func finish() async throws {
        guard !waiting.isEmpty else { return }
        try await store.storeBatch(waiting, name: name)
        (waiting, waitingSize) = ([], 0)
    }
}
