package import Artifacts
internal import GRDB
internal import Synchronization
package import Trust

/// What a store needs to know.
package struct StoreConfiguration: Sendable {
    /// The data directory, an absolute path.
    package var path: String
    /// Bytes kept free; nil for the default of `SpaceGuard`.
    package var reserve: Int64?
    /// Seconds since 1970.
    package var clock: @Sendable () -> Int64
    /// Seconds that only run, from any start: uploads, leases and unneeded blobs age by them. Nothing but time may move it.
    package var monotonicClock: @Sendable () -> Int64
    package var files: any FileOperations
    /// What the site file says of trust.
    package var policy: TrustPolicy
    /// Keys that come with the program.
    package var packagedKeys: [TrustKey]
    /// Who runs gpgv.
    package var openPGP: any OpenPGPVerifying

    package init(
        path: String, reserve: Int64? = nil, clock: @escaping @Sendable () -> Int64,
        monotonicClock: (@Sendable () -> Int64)? = nil,
        files: any FileOperations = SystemFileOperations(), policy: TrustPolicy = TrustPolicy(),
        packagedKeys: [TrustKey] = [], openPGP: any OpenPGPVerifying = NoOpenPGP()
    ) {
        self.path = path
        self.reserve = reserve
        self.clock = clock
        self.monotonicClock = monotonicClock ?? clock
        self.files = files
        self.policy = policy
        self.packagedKeys = packagedKeys
        self.openPGP = openPGP
    }
}

/// For a store without gpgv: no OpenPGP signature of it counts.
package struct NoOpenPGP: OpenPGPVerifying {
    package init() {}

    package func verify(
        _ signature: [UInt8]?, over content: SignedContent, keyring: [UInt8]
    ) async throws(OpenPGPUnavailable) -> OpenPGPResult {
        throw OpenPGPUnavailable("this store runs without gpgv")
    }
}

/// The content-addressed store: uploads come in, blobs and manifests stay, an immutable index of everything published
/// goes out to whoever boots machines. Calls block and belong on threads that may.
package final class ArtifactStore: Sendable {
    /// Fewer uploads at once than a flood would open.
    package static let maximumUploads = 1024

    package let directory: DataDirectory
    package let health = StoreHealth()
    let catalog: Catalog
    let files: any FileOperations
    let space: SpaceGuard
    let committer: BlobCommitter
    let clock: @Sendable () -> Int64
    /// Seconds that the store has run, from start to start and without the time in between: a clock that leaps makes
    /// nothing older.
    let lifetimeClock: @Sendable () -> Int64
    let uploads = Mutex<[String: Upload]>([:])
    /// Held while an upload of an earlier start is opened, so that it is opened once.
    let resumption = Mutex(())
    let index = Mutex(ReleaseIndex())
    /// Held while a change of manifests and tags is made and the index follows it, so that both see the changes in one
    /// order. Readers of the index never wait for it.
    let publication = Mutex(())
    let audit: AuditLog
    /// The audit entry up to which the names were written beside the catalog.
    let keptNames = Mutex<Int64?>(nil)
    /// Held during a collection: one at a time.
    let collecting = Mutex(())
    /// Rules and keys. Changed while `publication` is held.
    let trust: Mutex<TrustState>
    let verifier: EvidenceVerifier
    /// Something is to be judged: one waiting event tells of any number.
    package let verdictsWanted: AsyncStream<Void>
    /// Archives may have come that nobody has looked into.
    package let viewsWanted: AsyncStream<Void>
    let wantViews: AsyncStream<Void>.Continuation
    let wantVerdicts: AsyncStream<Void>.Continuation

    /// Opens the store and finishes what a crash interrupted: see `Recovery`.
    /// - Throws: `StoreError` (`locked`, `unsupportedVersion`, `noSpace`, `failure`).
    package init(_ configuration: StoreConfiguration) throws(StoreError) {
        files = configuration.files
        clock = configuration.clock
        audit = AuditLog(clock: configuration.clock)
        let directory = try DataDirectory(path: configuration.path, files: files)
        self.directory = directory
        verifier = EvidenceVerifier(openPGP: configuration.openPGP, blobPath: directory.blobPath)
        (verdictsWanted, wantVerdicts) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (viewsWanted, wantViews) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        space = SpaceGuard(reserve: configuration.reserve, path: directory.stagingPath, files: files)
        do {
            try Self.requireCatalog(directory, files)
            catalog = try Catalog(directory)
            let start = configuration.monotonicClock()
            let base = try Self.storedLifetime(catalog, configuration.clock())
            lifetimeClock = { base + configuration.monotonicClock() - start }
            committer = BlobCommitter(
                directory: directory, files: files, catalog: catalog, health: health, clock: lifetimeClock)
            try Recovery(directory: directory, catalog: catalog, files: files).run()
            let state = try catalog.pool.read {
                try TrustState(
                    policy: configuration.policy, packaged: configuration.packagedKeys, $0)
            }
            trust = Mutex(state)
            let loaded = try ReleaseLoader(
                reader: catalog.pool, blobPath: directory.blobPath, basis: state.basis, now: configuration.clock()
            ).load()
            index.withLock { $0 = loaded }
            wantVerdicts.yield()
            wantViews.yield()
        } catch {
            throw space.explain(error, as: "the store in \(configuration.path) cannot be opened")
        }
    }

    /// A store that has blobs and no catalog has lost it: a new one would forget every name, and a collection then the
    /// blobs.
    private static func requireCatalog(_ directory: DataDirectory, _ files: any FileOperations) throws {
        guard try files.size(directory.catalogPath) == nil else { return }
        let names = try files.size(NamesFile.path(in: directory.path)) ?? 0
        guard names > 0 || !DirectoryListing.names(directory.blobsPath).isEmpty else { return }
        throw StoreError(
            .failure,
            "\(directory.path) holds blobs and has lost its catalog.sqlite: run 'provisioner reindex', or restore a backup"
        )
    }

    /// How long the store had run when it ended; for a new one and one of an earlier version, no earlier than anything it
    /// has stored.
    private static func storedLifetime(_ catalog: Catalog, _ now: Int64) throws -> Int64 {
        try catalog.pool.read { database in
            if let seconds = try Int64.fetchOne(database, sql: "SELECT seconds FROM lifetime") { return seconds }
            return max(now, try Int64.fetchOne(database, sql: "SELECT MAX(touched_at) FROM blob") ?? now)
        }
    }

    /// Everything published, as of now. A value: later publishing does not change it.
    package var releases: ReleaseIndex { index.withLock { $0 } }

    /// `ReleaseIndex.generation` of `releases`.
    package var releasesGeneration: UInt64 { index.withLock { $0.generation } }

    /// The path of a blob's bytes. The file is immutable and may be opened by anybody who learned the digest from
    /// `releases`.
    package func blobPath(_ digest: Digest) -> String { directory.blobPath(digest) }

    /// Runs a catalog call, turning its failure into this target's error.
    func withCatalog<Value>(_ body: (DatabasePool) throws -> Value) throws(StoreError) -> Value {
        do {
            return try body(catalog.pool)
        } catch {
            throw space.explain(error, as: "the catalog failed")
        }
    }
}
