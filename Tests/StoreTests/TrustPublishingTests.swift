import Artifacts
import Foundation
import Store
import TestSupport
import Testing
import Trust

/// What rules make of pushes, promotions and boots.
@Suite struct TrustPublishingTests {
    private let files: [(path: String, bytes: [UInt8])] = [("linux", Sample.bytes(900)), ("initrd", Sample.bytes(70))]

    private struct Fixture {
        let place: TemporaryStore
        let alice: SigningKey
        let bob: SigningKey
        let name: ArtifactName
        var manifest: [UInt8]

        func policy(_ onMissing: MissingSignature = .reject, threshold: Int = 1, age: Int64? = nil) -> TrustPolicy {
            TrustPolicy(
                keys: [alice.key, bob.key],
                rules: [
                    TrustRule(
                        names: [.all], signers: ["alice", "bob"], threshold: threshold, maximumAge: age,
                        onMissing: onMissing)
                ])
        }

        func open(_ policy: TrustPolicy, now: Int64 = 1000) throws -> ArtifactStore {
            try ArtifactStore(
                StoreConfiguration(path: place.path, reserve: 0, clock: { now }, files: place.files, policy: policy))
        }

        func upload(_ files: [(path: String, bytes: [UInt8])], _ store: ArtifactStore) async throws {
            for file in files { try await store.push(file.bytes, name: name) }
            try await store.push(Array("{}".utf8), name: name)
        }

        func publish(_ store: ArtifactStore, _ tag: String = "1") async throws -> Digest {
            try await store.publish(
                manifest, mediaType: MediaType.imageManifest, name: name, version: Sample.tag(tag))
        }

        /// Pushes a signature of its own, after the version.
        func sign(_ key: SigningKey, _ store: ArtifactStore) async throws -> Digest {
            let evidence = try await key.evidence(about: manifest, name: name, in: store)
            return try await store.publish(
                evidence.bytes, mediaType: evidence.mediaType, name: name, version: evidence.version)
        }

        func withholding(_ store: ArtifactStore, _ reference: String = "debian:1") throws -> Withholding? {
            store.releases.withholding(of: try Reference(reference))
        }
    }

    private func fixture() async throws -> Fixture {
        let place = try TemporaryStore()
        return Fixture(
            place: place, alice: try await SigningKey.make("alice", in: place.root),
            bob: try await SigningKey.make("bob", in: place.root), name: try Sample.name(),
            manifest: try Sample.manifest(files))
    }

    @Test func withoutASignatureNothingIsPublished() async throws {
        let fixture = try await fixture()
        let store = try fixture.open(fixture.policy())
        try await fixture.upload(files, store)
        let error = await #expect(throws: StoreError(.untrusted, "")) { try await fixture.publish(store) }
        #expect(
            error?.message.contains("'initrd' and one more file needs 1 of alice, bob") == true,
            "\(error?.message ?? "")")
        #expect(try store.tags(name: fixture.name, after: nil, limit: 10).isEmpty)
        #expect(try store.releases.file(FileReference("debian:1/linux")) == nil)
    }

    @Test func aSignatureThatCameBeforeIsFound() async throws {
        let fixture = try await fixture()
        let store = try fixture.open(fixture.policy())
        try await fixture.upload(files, store)
        _ = try await fixture.sign(fixture.alice, store)
        _ = try await fixture.publish(store)
        #expect(try store.releases.file(FileReference("debian:1/linux")) != nil)
        #expect(store.releases.blobSize(SHA256.digest(of: files[0].bytes)) == 900)
        let verdict = try #require(try store.verdict(Sample.tag("1"), name: fixture.name).verdict)
        #expect(verdict.outcome == .trusted)
        #expect(verdict.signatures.map(\.key) == ["alice"])
        #expect(verdict.signatures.first?.tool.hasPrefix("libcrypto ") == true)
    }

    @Test func aSignatureInTheSameBatchIsFound() async throws {
        let fixture = try await fixture()
        let store = try fixture.open(fixture.policy())
        try await fixture.upload(files, store)
        let evidence = try await fixture.alice.evidence(about: fixture.manifest, name: fixture.name, in: store)
        let version = ManifestSubmission(
            name: fixture.name, version: try Sample.tag("1"), mediaType: MediaType.imageManifest,
            bytes: fixture.manifest)
        _ = try await store.publish([version, evidence]) { _ in true }
        #expect(try fixture.withholding(store) == nil)
    }

    @Test func quarantineEndsWhenASignatureComes() async throws {
        let fixture = try await fixture()
        let store = try fixture.open(fixture.policy(.quarantine, threshold: 2))
        try await fixture.upload(files, store)
        let digest = try await fixture.publish(store)
        #expect(try store.manifest(Sample.tag("1"), name: fixture.name).digest == digest)
        #expect(try fixture.withholding(store) != nil)
        #expect(try store.releases.file(FileReference("debian:1/linux")) == nil)
        #expect(store.releases.blobSize(SHA256.digest(of: files[0].bytes)) == nil)
        await #expect(throws: StoreError(.untrusted, "")) {
            try await store.promote(Sample.tag("1"), to: Tag("prod"), name: fixture.name)
        }
        _ = try await fixture.sign(fixture.alice, store)
        #expect(try fixture.withholding(store) != nil)
        _ = try await fixture.sign(fixture.bob, store)
        #expect(try fixture.withholding(store) == nil)
        #expect(try store.releases.file(FileReference("debian:1/linux")) != nil)
        try await store.promote(Sample.tag("1"), to: Tag("prod"), name: fixture.name)
        let log = try store.auditEntries(after: 0, limit: 100).filter { $0.action == "verdict" }.map(\.detail)
        #expect(log.map { String($0.prefix(22)) } == ["quarantined: rule for ", "quarantined -> trusted"])
    }

    @Test func aWarningIsKeptAndBoots() async throws {
        let fixture = try await fixture()
        let store = try fixture.open(fixture.policy(.warn))
        try await fixture.upload(files, store)
        _ = try await fixture.publish(store)
        #expect(try store.verdict(Sample.tag("1"), name: fixture.name).verdict?.outcome == .warned)
        #expect(try store.releases.file(FileReference("debian:1/linux")) != nil)
    }

    @Test func aRevokedKeyStopsWhatRestsOnItAtOnceAndForGood() async throws {
        let fixture = try await fixture()
        do {
            let store = try fixture.open(fixture.policy())
            try await fixture.upload(files, store)
            _ = try await fixture.sign(fixture.alice, store)
            _ = try await fixture.publish(store)
            try await store.promote(Sample.tag("1"), to: Tag("prod"), name: fixture.name)
            try store.revokeKey("alice", reason: "laptop lost")
            #expect(try fixture.withholding(store, "debian:prod")?.reason == "a key that signed it was revoked")
            #expect(try store.releases.file(FileReference("debian:1/linux")) == nil)
            #expect(store.releases.blobSize(SHA256.digest(of: files[0].bytes)) == nil)
            let (judged, failures) = await store.judgePending()
            #expect(judged == 1 && failures.isEmpty)
            #expect(try fixture.withholding(store) != nil)
            await #expect(throws: StoreError(.untrusted, "")) {
                try await store.promote(Sample.tag("1"), to: Tag("prod2"), name: fixture.name)
            }
            #expect(throws: StoreError(.keyExists, "")) { try store.revokeKey("alice", reason: "again") }
            #expect(throws: StoreError(.keyUnknown, "")) { try store.revokeKey("eve", reason: "x") }
        }
        // After a restart, and with a signature of a key that still counts.
        let store = try fixture.open(fixture.policy())
        #expect(try fixture.withholding(store) != nil)
        let reasons = try store.verdict(Sample.tag("1"), name: fixture.name).verdict?.explanation ?? ""
        #expect(reasons.contains("its key 'alice' was revoked on 1970-01-01T00:16:40Z: laptop lost"), "\(reasons)")
        _ = try await fixture.sign(fixture.bob, store)
        #expect(try fixture.withholding(store) == nil)
    }

    @Test func aVerdictOnOtherRulesIsNone() async throws {
        let fixture = try await fixture()
        do {
            let store = try fixture.open(TrustPolicy())
            try await fixture.upload(files, store)
            _ = try await fixture.publish(store)
            #expect(try fixture.withholding(store) == nil)
            #expect(try store.verdict(Sample.tag("1"), name: fixture.name).verdict?.outcome == .unrestricted)
        }
        let store = try fixture.open(fixture.policy())
        #expect(try fixture.withholding(store) != nil)
        #expect(
            try OfflineCatalog.releases(in: fixture.place.path, policy: fixture.policy(), now: 0)
                .withholding(of: Reference("debian:1")) != nil)
        _ = await store.judgePending()
        #expect(try fixture.withholding(store) != nil)
        store.adopt(TrustPolicy())
        #expect(try fixture.withholding(store) == nil)
        store.adopt(fixture.policy(.quarantine))
        #expect(try fixture.withholding(store) != nil)
    }

    @Test func aSignatureGrowsTooOld() async throws {
        let fixture = try await fixture()
        let policy = fixture.policy(age: 3600)
        do {
            let store = try fixture.open(policy)
            try await fixture.upload(files, store)
            _ = try await fixture.sign(fixture.alice, store)
            _ = try await fixture.publish(store)
            #expect(try store.verdict(Sample.tag("1"), name: fixture.name).verdict?.validUntil == 4600)
        }
        do {
            let store = try fixture.open(policy, now: 4599)
            #expect(try fixture.withholding(store) == nil)
        }
        let store = try fixture.open(policy, now: 4600)
        #expect(try fixture.withholding(store) != nil)
        _ = await store.judgePending()
        #expect(try fixture.withholding(store) != nil)
    }

    @Test func withTheEvidenceGoesTheVerdict() async throws {
        let fixture = try await fixture()
        let store = try fixture.open(fixture.policy(.quarantine))
        try await fixture.upload(files, store)
        _ = try await fixture.publish(store)
        let evidence = try await fixture.sign(fixture.alice, store)
        #expect(try fixture.withholding(store) == nil)
        try store.delete(manifest: evidence, name: fixture.name)
        #expect(try fixture.withholding(store) != nil)
        _ = await store.judgePending()
        #expect(try store.verdict(Sample.tag("1"), name: fixture.name).verdict?.outcome == .quarantined)
    }

    /// A subject is what tells a signature from a version: it must not be a way around the rules.
    @Test func whatIsAttachedToAVersionNeverBoots() async throws {
        let fixture = try await fixture()
        let store = try fixture.open(fixture.policy())
        try await fixture.upload(files, store)
        var manifest = try Manifest(json: fixture.manifest)
        manifest.subject = Descriptor(mediaType: MediaType.imageManifest, digest: .empty, size: 0)
        let bytes = try manifest.canonicalJSON()
        await #expect(throws: StoreError(.untrusted, "")) {
            try await store.publish(
                bytes, mediaType: MediaType.imageManifest, name: fixture.name, version: Sample.tag("1"))
        }
        let digest = SHA256.digest(of: bytes)
        _ = try await store.publish(
            bytes, mediaType: MediaType.imageManifest, name: fixture.name, version: .digest(digest))
        #expect(try store.releases.file(FileReference("debian@\(digest)/linux")) == nil)
        #expect(store.releases.blobSize(SHA256.digest(of: files[0].bytes)) == nil)
    }

    @Test func aManifestWithoutATagWaitsAndIsJudged() async throws {
        let fixture = try await fixture()
        let store = try fixture.open(fixture.policy())
        try await fixture.upload(files, store)
        let digest = SHA256.digest(of: fixture.manifest)
        _ = try await store.publish(
            fixture.manifest, mediaType: MediaType.imageManifest, name: fixture.name, version: .digest(digest))
        #expect(try fixture.withholding(store, "debian@\(digest)") != nil)
        _ = await store.judgePending()
        #expect(try fixture.withholding(store, "debian@\(digest)") != nil)
        _ = try await fixture.sign(fixture.alice, store)
        #expect(try fixture.withholding(store, "debian@\(digest)") == nil)
    }

    @Test func anAddedKeyCountsAndSurvivesARestartAndAnIndexing() async throws {
        let fixture = try await fixture()
        var policy = fixture.policy(.quarantine)
        policy.keys = []
        do {
            let store = try fixture.open(policy)
            try await fixture.upload(files, store)
            _ = try await fixture.publish(store)
            _ = try await fixture.sign(fixture.alice, store)
            #expect(try fixture.withholding(store) != nil)
            try store.add(fixture.alice.key)
            #expect(throws: StoreError(.keyExists, "")) { try store.add(fixture.alice.key) }
            _ = await store.judgePending()
            #expect(try fixture.withholding(store) == nil)
            try store.add(fixture.bob.key)
            try store.revokeKey("bob", reason: "left")
        }
        do {
            let store = try fixture.open(policy)
            _ = await store.judgePending()
            #expect(try fixture.withholding(store) == nil)
            #expect(store.trustKeys().map(\.key.name) == ["alice", "bob"])
        }
        let report = try Reindex(fixture.place.path, clock: { 2000 }).run { _ in }
        #expect(!report.hasLostKeys)
        let store = try fixture.open(policy)
        #expect(store.trustKeys().map { $0.revocation != nil } == [false, true])
        #expect(try fixture.withholding(store) != nil)
        _ = await store.judgePending()
        #expect(try fixture.withholding(store) == nil)
    }

    @Test func evidenceThatMakesNoSenseIsRefused() async throws {
        let fixture = try await fixture()
        let store = try fixture.open(fixture.policy())
        try await fixture.upload(files, store)
        let good = try await fixture.alice.evidence(about: fixture.manifest, name: fixture.name, in: store)
        func refuse(_ change: (inout Manifest) -> Void) async throws {
            var manifest = try Manifest(json: good.bytes)
            change(&manifest)
            let bytes = try manifest.canonicalJSON()
            await #expect(throws: StoreError(.invalidManifest, "")) {
                try await store.publish(
                    bytes, mediaType: MediaType.imageManifest, name: fixture.name,
                    version: .digest(SHA256.digest(of: bytes)))
            }
        }
        try await refuse { $0.subject = nil }
        try await refuse { $0.layers?[0].mediaType = MediaType.file }
        try await refuse { $0.layers?[0].annotations = [Evidence.signsKey: "file:../x"] }
        try await refuse { $0.layers?[0].annotations = [Evidence.signsKey: Digest.empty.description] }
    }
}
