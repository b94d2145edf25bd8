import Artifacts
import Foundation
import StoreFaults
import Testing

@testable import Store

/// Backup, restore and a catalog made anew.
@Suite struct BackupTests {
    private let place: TemporaryStore
    private let name: ArtifactName
    private var backup: String { place.root + "/backup" }
    private let companions = StoreCopy.Companions(databases: [], smallFiles: ["secret.key"])

    init() throws {
        place = try TemporaryStore()
        name = try Sample.name()
    }

    private func copy(files: any FileOperations = SystemFileOperations()) throws -> StoreCopy.Report {
        try StoreCopy(from: place.path, to: backup, companions: companions, files: files).run { _, _ in }
    }

    private func filled() async throws -> ArtifactStore {
        let store = try place.open()
        try await store.publish([("f", Sample.bytes(5000)), ("g", [2])], name: name, version: Sample.tag("1"))
        try await store.promote(Sample.tag("1"), to: Tag("prod"), name: name)
        return store
    }

    @Test func aBackupOfARunningStoreIsAStore() async throws {
        let store = try await filled()
        try Data("secret".utf8).write(to: URL(filePath: place.path + "/secret.key"))
        let upload = try store.beginUpload(name: name, size: 10)
        let report = try copy()
        #expect(report.copiedCount == 4)
        #expect(report.lost.isEmpty)
        let restored = try place.open(at: backup)
        #expect(try restored.releases.release(Reference("debian:prod"))?.files.count == 2)
        #expect(try restored.history(Tag("prod"), name: name).count == 1)
        #expect(try restored.auditEntries(after: 0, limit: 10) == store.auditEntries(after: 0, limit: 10))
        #expect(throws: StoreError(.uploadUnknown, "")) { try restored.upload(upload.id, name: name) }
        try Disk(backup).check(restored)
        #expect(place.content(backup + "/secret.key") == Array("secret".utf8))
    }

    @Test func theNextBackupBringsWhatIsNew() async throws {
        let store = try await filled()
        _ = try copy()
        try await store.publish([("f", [9]), ("g", [2])], name: name, version: Sample.tag("2"))
        let report = try copy()
        #expect(report.copiedCount == 2)
        #expect(report.keptCount == 4)
        try Disk(backup).check(try place.open(at: backup))
    }

    /// Stopped at each call, it leaves the backup before it, and the next one completes it.
    @Test func anInterruptedBackupLeavesTheOneBefore() async throws {
        let store = try await filled()
        _ = try copy()
        try await store.publish([("f", [9])], name: name, version: Sample.tag("2"))
        let files = FaultyFileOperations()
        var call = 0
        while true {
            files.setFault(.crash(call))
            guard (try? copy(files: files)) == nil else { break }
            try autoreleased {
                let earlier = try place.open(at: backup)
                #expect(try earlier.releases.release(Reference("debian:1")) != nil, "call \(call)")
                try Disk(backup).check(earlier)
            }
            call += 1
        }
        #expect(call > 10)
        let done = try place.open(at: backup)
        #expect(try done.releases.release(Reference("debian:2")) != nil)
        try Disk(backup).check(done)
        print("store kills: \(call) interrupted backups")
    }

    private func autoreleased(_ body: () throws -> Void) rethrows { try body() }

    @Test func whatHasRottenIsToldAndMarkedInTheBackup() async throws {
        let store = try await filled()
        let digest = SHA256.digest(of: Sample.bytes(5000))
        let path = store.blobPath(digest)
        try FileManager.default.removeItem(atPath: path)
        try Data(Sample.bytes(5000, seed: 9)).write(to: URL(filePath: path))
        let report = try copy()
        #expect(report.lost == [CorruptBlob(digest: digest, size: 5000, references: [try Reference("debian:1")])])
        let restored = try place.open(at: backup)
        #expect(try restored.blobSize(digest, name: name) == nil)
        try await restored.push(Sample.bytes(5000), name: name)
        try Disk(backup).check(restored)
    }

    /// The bytes rot after they were backed up: the backup does not forget what it has.
    @Test func whatRotsLaterStaysWholeInTheBackup() async throws {
        let store = try await filled()
        _ = try copy()
        let digest = SHA256.digest(of: Sample.bytes(5000))
        let path = store.blobPath(digest)
        try FileManager.default.removeItem(atPath: path)
        try Data([1]).write(to: URL(filePath: path))
        while try await store.scrubNext(pace: { _ in }) != nil {}
        #expect(try store.scrubState().corrupt.count == 1)
        let report = try copy()
        #expect(report.lost.isEmpty)
        let restored = try place.open(at: backup)
        #expect(try restored.blobSize(digest, name: name) == 5000)
        try Disk(backup).check(restored)
    }

    /// Left-overs in the place of a restore are not believed by their size.
    @Test func aRestoreReadsWhatIsThereAlready() async throws {
        let store = try await filled()
        let digest = SHA256.digest(of: Sample.bytes(5000))
        let other = BlobPath.path(of: digest, below: backup)
        try FileManager.default.createDirectory(
            atPath: URL(filePath: other).deletingLastPathComponent().path, withIntermediateDirectories: true)
        try Data(count: 5000).write(to: URL(filePath: other))
        _ = try StoreCopy(from: place.path, to: backup, companions: companions, verifiesTarget: true).run { _, _ in }
        try Disk(backup).check(try place.open(at: backup))
        _ = store
    }

    /// A collection takes a blob between the copy of the catalog and that of the blobs.
    @Test func aBlobThatIsInTheTrashMeanwhileIsCopiedFromThere() async throws {
        let store = try await filled()
        let digest = SHA256.digest(of: Sample.bytes(5000))
        try FileManager.default.moveItem(atPath: store.blobPath(digest), toPath: place.path + "/trash/" + digest.hex)
        #expect(try copy().lost.isEmpty)
        try Disk(backup).check(try place.open(at: backup))
    }

    @Test func whatIsNoDataDirectoryIsRefused() throws {
        #expect(throws: StoreError(.failure, "")) { try copy() }
        #expect(!FileManager.default.fileExists(atPath: backup))
    }

    @Test func aBackupIntoADirectoryInUseIsRefused() async throws {
        let store = try await filled()
        let other = try place.open(at: backup)
        #expect(throws: StoreError(.locked, "")) { try copy() }
        _ = (store, other)
    }
}

@Suite struct ReindexTests {
    private let place: TemporaryStore
    private let name: ArtifactName

    init() throws {
        place = try TemporaryStore()
        name = try Sample.name()
    }

    private func reindex() throws -> Reindex.Report { try Reindex(place.path, clock: { 5 }).run { _ in } }

    /// A store with a version, a channel, an index and a referrer, closed again.
    private func fill(keepingNames: Bool = true) async throws {
        let store = try place.open()
        let digest = try await store.publish(
            [("f", Sample.bytes(5000)), ("g", [2])], name: name, version: Sample.tag("1"))
        try await store.promote(Sample.tag("1"), to: Tag("prod"), name: name)
        var manifest = try Manifest(json: try Sample.manifest([]))
        manifest.subject = Descriptor(mediaType: MediaType.imageManifest, digest: digest, size: 1)
        let bytes = try manifest.canonicalJSON()
        _ = try await store.publish(
            bytes, mediaType: MediaType.imageManifest, name: name, version: .digest(SHA256.digest(of: bytes)))
        if keepingNames { try store.keepNames() }
    }

    private func lose(_ name: String) throws {
        for rest in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: "\(place.path)/\(name)\(rest)")
        }
    }

    private func check(_ store: ArtifactStore) throws {
        try Disk(place.path).check(store)
        let release = try store.releases.release(Reference("debian:prod"))
        #expect(release?.files.count == 2)
        let digest = try #require(release?.digest)
        #expect(try store.releases.release(Reference("debian:1"))?.digest == digest)
        let referrers = try store.referrers(of: digest, name: name, artifactType: nil, after: nil, limit: 10).list
        #expect(referrers.count == 1)
        #expect(try store.taggedArtifacts().filter(\.isChannel).count == 1)
    }

    @Test func aLostCatalogIsMadeAnewWithItsNames() async throws {
        try await fill()
        try lose("catalog.sqlite")
        let report = try reindex()
        #expect((report.blobs, report.manifests, report.tags) == (5, 2, 2))
        #expect(report.recovered.isEmpty && report.quarantined.isEmpty && report.incomplete.isEmpty)
        let store = try place.open()
        try check(store)
        // Everything that a store can do goes on.
        try await store.publish([("f", [7])], name: name, version: Sample.tag("2"))
        try await store.promote(Sample.tag("2"), to: Tag("prod"), name: name)
        #expect(try await store.rollBack(Tag("prod"), name: name).sequence == 3)
    }

    @Test func aCatalogThatCanBeReadGivesTheNames() async throws {
        try await fill(keepingNames: false)
        let report = try reindex()
        #expect(report.oldCatalog == place.path + "/catalog.sqlite.old")
        try check(try place.open())
    }

    @Test func aDamagedCatalogIsMadeAnew() async throws {
        try await fill()
        try lose("catalog.sqlite")
        try Data("this is no database, but it is long enough to be looked at twice".utf8)
            .write(to: URL(filePath: place.path + "/catalog.sqlite"))
        _ = try reindex()
        try check(try place.open())
    }

    @Test func withoutNamesManifestsAreRecoveredByDigest() async throws {
        try await fill(keepingNames: false)
        try lose("catalog.sqlite")
        let report = try reindex()
        #expect(report.recovered.count == 2)
        let store = try place.open()
        for digest in report.recovered {
            #expect(try store.releases.release(Reference("recovered@\(digest)")) != nil)
        }
        try Disk(place.path).check(store)
    }

    @Test func missingAndRottenBlobsAreToldWithWhatToPush() async throws {
        try await fill()
        let digest = SHA256.digest(of: Sample.bytes(5000))
        let path = BlobPath.path(of: digest, below: place.path)
        try FileManager.default.removeItem(atPath: path)
        try Data([1]).write(to: URL(filePath: path))
        let report = try reindex()
        #expect(report.quarantined == [digest])
        #expect(report.incomplete.map(\.missing) == [[digest]])
        let store = try place.open()
        try await store.push(Sample.bytes(5000), name: name)
        try check(store)
    }

    /// A service manager starts the server again and again: it must not make an empty catalog of a lost one.
    @Test func aStartWithoutTheCatalogIsRefusedAndForgetsNothing() async throws {
        try await fill()
        try lose("catalog.sqlite")
        let error = #expect(throws: StoreError.self) { _ = try place.open() }
        #expect(error?.message.contains("provisioner reindex") == true)
        _ = try reindex()
        try check(try place.open())
    }

    @Test func anEmptyCatalogIsNotBelieved() async throws {
        try await fill()
        try lose("catalog.sqlite")
        _ = try Catalog(DataDirectory(path: place.path, files: place.files))
        _ = try reindex()
        try check(try place.open())
    }

    /// The manifest itself has rotted: its tags and what it lists stay, and pushing it again mends everything.
    @Test func aRottenManifestKeepsItsNamesAndFiles() async throws {
        try await fill()
        let manifest = SHA256.digest(
            of: try Sample.manifest([("f", Sample.bytes(5000)), ("g", [2])]))
        let path = BlobPath.path(of: manifest, below: place.path)
        try FileManager.default.removeItem(atPath: path)
        try Data([1]).write(to: URL(filePath: path))
        try lose("catalog.sqlite")
        let report = try reindex()
        #expect(report.quarantined == [manifest])
        #expect(report.tags == 2)
        let clock = ManualClock()
        let store = try place.open(clock: clock)
        #expect(try store.scrubState().corrupt.map(\.digest) == [manifest])
        var rules = CollectionRules()
        rules.grace = 0
        rules.hasBrake = false
        #expect(try store.collect(rules).unneeded.count == 0)
        try await store.publish([("f", Sample.bytes(5000)), ("g", [2])], name: name, version: Sample.tag("1"))
        try check(store)
    }

    @Test func aStoreInUseIsLeftAlone() async throws {
        try await fill()
        let store = try place.open()
        #expect(throws: StoreError(.locked, "")) { try reindex() }
        try check(store)
    }
}
