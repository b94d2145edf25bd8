package import Artifacts
internal import GRDB
internal import Synchronization
package import Trust

/// What was judged, and on what: it counts only where all of this is still so when it is written down.
struct Judgement {
    let stored: StoredVerdict
    /// The manifests of the evidence that was read.
    let evidence: Set<Digest>

    var verdict: Verdict { stored.verdict }
}

/// Whether versions may be published and booted. Machines are given a version of a name that rules are about only while a
/// verdict says so; where rules or keys change, the verdict before holds until the next one is made, save that a revoked
/// key's versions are withheld at once.
extension ArtifactStore {
    /// Pieces of evidence that are read for one version, the oldest first.
    private static let maximumEvidence = 256

    /// Whether rules are about a name.
    func isRestricted(_ name: ArtifactName) -> Bool { trust.withLock { !$0.basis.rules(for: name).isEmpty } }

    /// The verdict on a version as it stands; nil while it is still to be made.
    /// - Throws: `manifestUnknown`.
    package func verdict(_ version: Version, name: ArtifactName) throws(StoreError) -> (
        digest: Digest, verdict: Verdict?
    ) {
        let basis = trust.withLock { $0.basis }
        let now = clock()
        return try withCatalog { pool in
            try pool.read { database in
                let digest = try self.manifestDigest(database, version, name)
                guard !basis.rules(for: name).isEmpty else {
                    return (digest, Verdict(outcome: .unrestricted, checkedAt: now))
                }
                return (digest, try StoredVerdict.one(database, name, digest)?.verdict)
            }
        }
    }

    /// Verifies every signature of a version again and keeps the verdict: machines are given the version, or no longer.
    /// - Throws: `manifestUnknown`; `busy` when rules and keys change faster than that.
    @discardableResult
    package func verify(
        _ version: Version, name: ArtifactName, by actor: String = "local"
    ) async throws(StoreError) -> (digest: Digest, verdict: Verdict) {
        for _ in 0..<5 {
            let digest = try withCatalog { pool in
                try pool.read { try self.manifestDigest($0, version, name) }
            }
            guard isRestricted(name) else { return (digest, Verdict(outcome: .unrestricted, checkedAt: clock())) }
            let judgement = try await judge(digest, name)
            if try keep(judgement, on: digest, name, by: actor) { return (digest, judgement.verdict) }
        }
        throw StoreError(.busy, "keys and signatures change too fast to verify \(name) \(version): try again")
    }

    /// Has everything judged that has to be: see `verdictsWanted`.
    package func wantJudgement() { wantVerdicts.yield() }

    /// Judges everything that has no verdict, or one that holds no longer.
    /// - Returns: how many verdicts were made, and what could not be judged: it is withheld.
    package func judgePending() async -> (judged: Int, failures: [String]) {
        var (judged, failures): (Int, [String]) = (0, [])
        let pending: [(name: ArtifactName, digest: Digest)]
        do {
            pending = try self.pending()
        } catch {
            return (0, [error.description])
        }
        for (name, digest) in pending {
            do throws(StoreError) {
                try await verify(.digest(digest), name: name, by: "trust")
                judged += 1
            } catch {
                // Gone meanwhile is no failure.
                guard error.code != .manifestUnknown else { continue }
                failures.append("\(name)@\(digest): \(error)")
                publication.withLock { _ in
                    index.withLock { $0.withhold(digest, name: name, .unjudged) }
                }
            }
        }
        return (judged, failures)
    }

    private func pending() throws(StoreError) -> [(name: ArtifactName, digest: Digest)] {
        let basis = trust.withLock { $0.basis }
        let now = clock()
        return try withCatalog { pool in
            try pool.read { database in
                var found: [(name: ArtifactName, digest: Digest)] = []
                for name in try String.fetchAll(database, sql: "SELECT DISTINCT name FROM manifest ORDER BY name") {
                    guard let name = try? ArtifactName(name) else { continue }
                    let current = basis.digest(for: name)
                    guard current != .empty else { continue }
                    let digests = try String.fetchAll(
                        database,
                        sql: """
                            SELECT digest FROM manifest LEFT JOIN verdict USING (name, digest)
                            WHERE name = ? AND subject IS NULL AND (basis IS NOT ? OR valid_until <= ?) ORDER BY digest
                            """, arguments: [name.description, current.column, now])
                    for digest in digests { found.append((name, try Digest(hex: digest))) }
                }
                return found
            }
        }
    }

    // MARK: Judging

    /// Reads the evidence about a manifest and judges it. `files` and `attached` are for a manifest that is about to be
    /// published, together with evidence.
    func judge(
        _ digest: Digest, _ name: ArtifactName, files: FileList? = nil,
        attached: [(digest: Digest, manifest: Manifest)] = []
    ) async throws(StoreError) -> Judgement {
        let basis = trust.withLock { $0.basis }
        let now = clock()
        guard let files = files ?? releases.release(Reference(name: name, version: .digest(digest)))?.files else {
            throw StoreError(.failure, "the manifest \(digest) of \(name) is damaged on disk: push it again")
        }
        let rows = try withCatalog { pool in try pool.read { try self.evidence($0, digest, name) } }
        var list: [Evidence] = []
        var seen: Set<Digest> = []
        for row in rows where seen.insert(row.digest).inserted {
            guard let bytes = SmallFile.read(directory.blobPath(row.digest), limit: Manifest.maximumSize),
                let manifest = try? Manifest(json: bytes)
            else { continue }
            if let item = try? Evidence(manifest: manifest, digest: row.digest, receivedAt: row.receivedAt) {
                list.append(item)
            }
        }
        for (digest, manifest) in attached where seen.insert(digest).inserted {
            if let item = try? Evidence(manifest: manifest, digest: digest, receivedAt: now) { list.append(item) }
        }
        let subject = EvidenceVerifier.Subject(manifest: digest, files: files)
        // Of OpenPGP only keys that count: a bad word of gpgv about any other must not spoil a file.
        let asked = Set(basis.keys(for: name))
        let keys = basis.keys.filter { $0.format != .openpgp || asked.contains($0) }
        let findings = await verifier.findings(list, about: subject, keys: keys)
        let verdict = basis.verdict(on: name, files: files, findings: findings, now: now)
        return Judgement(
            stored: StoredVerdict(verdict: verdict, basis: basis.digest(for: name)), evidence: seen)
    }

    private func evidence(_ database: Database, _ subject: Digest, _ name: ArtifactName) throws
        -> [(digest: Digest, receivedAt: Int64)]
    {
        try Row.fetchAll(
            database,
            sql: """
                SELECT digest, created_at FROM manifest WHERE name = ? AND subject = ? AND artifact_type = ?
                ORDER BY created_at, digest LIMIT ?
                """,
            arguments: [name.description, subject.column, Evidence.artifactType, Self.maximumEvidence]
        ).map { (try Digest(hex: $0["digest"] as String), $0["created_at"]) }
    }

    /// Whether a judgement is still about all that there is, within the transaction that keeps it. `publication` is held.
    func isCurrent(
        _ judgement: Judgement, on digest: Digest, _ name: ArtifactName, with attached: Set<Digest> = [],
        _ database: Database
    ) throws -> Bool {
        let basis = trust.withLock { $0.basis.digest(for: name) }
        let evidence = try Set(self.evidence(database, digest, name).map(\.digest)).union(attached)
        return basis == judgement.stored.basis && evidence == judgement.evidence
    }

    /// - Returns: false when it holds no longer, and is to be made again.
    private func keep(
        _ judgement: Judgement, on digest: Digest, _ name: ArtifactName, by actor: String
    ) throws(StoreError) -> Bool {
        try publication.withLock { _ throws(StoreError) in
            let isKept = try withCatalog { pool in
                try pool.write { database in
                    guard try self.holds(database, digest, name),
                        try self.isCurrent(judgement, on: digest, name, database)
                    else { return false }
                    try self.write(judgement, on: digest, name, database, by: actor)
                    return true
                }
            }
            if isKept {
                index.withLock { $0.withhold(digest, name: name, judgement.verdict.withholding) }
            }
            return isKept
        }
    }

    /// Writes a verdict down within the caller's transaction, and an entry of the audit log where it says something new.
    func write(
        _ judgement: Judgement, on digest: Digest, _ name: ArtifactName, _ database: Database, by actor: String
    ) throws {
        let before = try StoredVerdict.one(database, name, digest)?.verdict.outcome
        try judgement.stored.write(database, name, digest)
        let verdict = judgement.verdict
        guard before != verdict.outcome else { return }
        try audit.append(
            database, "verdict", "\(name)@\(digest)",
            "\(before.map { "\($0.rawValue) -> " } ?? "")\(verdict.outcome.rawValue): \(verdict.explanation.prefix(2000))",
            by: actor)
    }
}
