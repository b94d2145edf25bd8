package import Artifacts
internal import GRDB
internal import Synchronization
internal import Trust

/// A manifest to publish.
package struct ManifestSubmission: Sendable, Hashable {
    package var name: ArtifactName
    /// A tag, or the digest that the bytes must have.
    package var version: Version
    package var mediaType: String
    package var bytes: [UInt8]

    package init(name: ArtifactName, version: Version, mediaType: String, bytes: [UInt8]) {
        self.name = name
        self.version = version
        self.mediaType = mediaType
        self.bytes = bytes
    }
}

extension ArtifactStore {
    /// Publishes a manifest, under a tag or as the digest that its bytes must have. A tag that is a channel moves to it.
    /// When this returns it survives a power cut, and `releases` has it.
    /// - Throws: `invalidManifest`, `digestMismatch`, `manifestBlobUnknown` (naming the blobs), `tagExists`, `notPermitted`
    ///   for a channel that the caller may not move, `untrusted` when rules ask for signatures that are not there,
    ///   `noSpace`, `degraded`. Nothing is published then.
    package func publish(
        _ bytes: [UInt8], mediaType: String, name: ArtifactName, version: Version, by actor: String = "local",
        mayMoveChannel: Bool = true
    ) async throws(StoreError) -> Digest {
        let submission = ManifestSubmission(name: name, version: version, mediaType: mediaType, bytes: bytes)
        let prepared = try PreparedManifest(submission)
        // Checked before a byte is written, and again in the transaction that publishes.
        try withCatalog { try $0.read { try self.requirePublishable(prepared, $0) } }
        _ = try await storeBlob(bytes, name: name)
        try await publish([prepared], by: actor) { _ in mayMoveChannel }
        return prepared.digest
    }

    /// Publishes many manifests at once, in their order: all of them or none. An index may list manifests that come
    /// before it. `mayMoveChannel` tells whether the caller may move channels of a name.
    /// - Returns: their digests.
    /// - Throws: as for one; the message names the manifest.
    package func publish(
        _ submissions: [ManifestSubmission], by actor: String = "local", mayMoveChannel: (ArtifactName) -> Bool
    ) async throws(StoreError) -> [Digest] {
        var prepared: [PreparedManifest] = []
        for submission in submissions {
            do throws(StoreError) {
                prepared.append(try PreparedManifest(submission))
            } catch {
                throw error.about("\(submission.name) \(submission.version)")
            }
        }
        for (name, group) in Dictionary(grouping: prepared, by: \.submission.name) {
            try await storeBatch(
                group.map { SmallBlob(digest: $0.digest, bytes: $0.submission.bytes) }, name: name)
        }
        try await publish(prepared, by: actor, mayMoveChannel: mayMoveChannel)
        return prepared.map(\.digest)
    }

    /// Publishes manifests whose bytes are stored, when what rules ask for is there: signatures may come among them.
    private func publish(
        _ manifests: [PreparedManifest], by actor: String, mayMoveChannel: (ArtifactName) -> Bool
    ) async throws(StoreError) {
        for _ in 0..<5 {
            let judgements = try await judgements(of: manifests)
            guard try publish(manifests, judgements, by: actor, mayMoveChannel: mayMoveChannel) else { continue }
            for manifest in manifests where manifest.isEvidence {
                guard let subject = manifest.value.subject?.digest,
                    judgements[manifest.submission.name]?[subject] == nil,
                    releases.release(Reference(name: manifest.submission.name, version: .digest(subject))) != nil
                else { continue }
                try await verify(.digest(subject), name: manifest.submission.name, by: actor)
            }
            return
        }
        throw StoreError(.busy, "keys and signatures change too fast to publish: try again")
    }

    /// Of manifests that get a tag, or that there is evidence about, where rules are about their names.
    private func judgements(of manifests: [PreparedManifest]) async throws(StoreError)
        -> [ArtifactName: [Digest: Judgement]]
    {
        var judgements: [ArtifactName: [Digest: Judgement]] = [:]
        guard manifests.contains(where: { isRestricted($0.submission.name) }) else { return [:] }
        for (manifest, release) in zip(manifests, try releases(of: manifests)) {
            let name = manifest.submission.name
            guard isRestricted(name), manifest.value.subject == nil, judgements[name]?[manifest.digest] == nil else {
                continue
            }
            let attached = manifest.evidence(among: manifests)
            let isTagged = if case .tag = manifest.submission.version { true } else { false }
            guard isTagged || !attached.isEmpty else { continue }
            judgements[name, default: [:]][manifest.digest] = try await judge(
                manifest.digest, name, files: release.files, attached: attached.map { ($0.digest, $0.value) })
        }
        return judgements
    }

    /// - Returns: false when a judgement holds no longer.
    private func publish(
        _ manifests: [PreparedManifest], _ judgements: [ArtifactName: [Digest: Judgement]], by actor: String,
        mayMoveChannel: (ArtifactName) -> Bool
    ) throws(StoreError) -> Bool {
        try publication.withLock { _ throws(StoreError) in
            let releases = try self.releases(of: manifests)
            let tags: [[Tag]]? = try withCatalog { pool in
                try pool.write { database in
                    for manifest in manifests {
                        let name = manifest.submission.name
                        guard let judgement = judgements[name]?[manifest.digest] else {
                            if self.needsJudgement(manifest) { return nil }
                            continue
                        }
                        let attached = Set(manifest.evidence(among: manifests).map(\.digest))
                        guard try self.isCurrent(judgement, on: manifest.digest, name, with: attached, database) else {
                            return nil
                        }
                    }
                    return try manifests.map { manifest in
                        do throws(StoreError) {
                            return try self.insert(
                                manifest, judgements[manifest.submission.name]?[manifest.digest], database, by: actor,
                                mayMoveChannel: mayMoveChannel(manifest.submission.name))
                        } catch {
                            throw manifests.count == 1
                                ? error : error.about("\(manifest.submission.name) \(manifest.submission.version)")
                        }
                    }
                }
            }
            guard let tags else { return false }
            index.withLock { index in
                for ((manifest, release), tags) in zip(zip(manifests, releases), tags) {
                    let name = manifest.submission.name
                    let isNew = index.release(Reference(name: name, version: .digest(manifest.digest))) == nil
                    index.insert(release, name: name, tag: nil)
                    if let judgement = judgements[name]?[manifest.digest] {
                        index.withhold(manifest.digest, name: name, judgement.verdict.withholding)
                    } else if isNew, isRestricted(name) {
                        index.withhold(
                            manifest.digest, name: name, manifest.value.subject == nil ? .unjudged : .attached)
                    }
                    // All of them: when the manifest was damaged on disk, the index has lacked them since the start.
                    for tag in tags { index.point(tag, at: manifest.digest, name: name) }
                }
            }
            if manifests.contains(where: { isRestricted($0.submission.name) }) { wantVerdicts.yield() }
            wantViews.yield()
            return true
        }
    }

    /// Rules may have come since the judgements were made.
    private func needsJudgement(_ manifest: PreparedManifest) -> Bool {
        guard case .tag = manifest.submission.version, manifest.value.subject == nil else { return false }
        return isRestricted(manifest.submission.name)
    }

    /// What machines will be given. The pages of a tree are manifests that are published already, or come before it.
    private func releases(of manifests: [PreparedManifest]) throws(StoreError) -> [Release] {
        var pages: [Digest: FilePage] = [:]
        let published = self.releases
        var releases: [Release] = []
        for manifest in manifests {
            guard manifest.value.isTree else {
                if let page = manifest.release.files.pages.first { pages[manifest.digest] = page }
                releases.append(manifest.release)
                continue
            }
            let name = manifest.submission.name
            let release = try Self.release(manifest.digest, manifest.value) { digest in
                pages[digest]
                    ?? published.release(Reference(name: name, version: .digest(digest)))?.files.pages.first
            }
            do {
                try ArtifactPath.requireDistinctInAnyCase(release.files.lazy.map(\.path))
            } catch {
                throw StoreError(.invalidManifest, error.message)
            }
            releases.append(release)
        }
        return releases
    }

    /// What a manifest says to a machine. `page` gives the files of another manifest of the name; nil when it is not there.
    /// - Throws: `invalidManifest`; `manifestBlobUnknown` for a tree one of whose pages is not there.
    static func release(
        _ digest: Digest, _ manifest: Manifest, page: (Digest) -> FilePage?
    ) throws(StoreError) -> Release {
        do {
            guard manifest.isTree else { return try Release(digest: digest, manifest: manifest) }
            var pages: [FilePage] = []
            for descriptor in manifest.manifests ?? [] {
                guard let page = page(descriptor.digest) else {
                    throw StoreError(
                        .manifestBlobUnknown,
                        "the page \(descriptor.digest) of the tree is not published, or lists no file")
                }
                pages.append(page)
            }
            return Release(digest: digest, files: try FileList(pages))
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(.invalidManifest, "\(error)")
        }
    }

    /// - Returns: every tag of the name that names the manifest.
    private func insert(
        _ prepared: PreparedManifest, _ judgement: Judgement?, _ database: Database, by actor: String,
        mayMoveChannel: Bool
    ) throws(StoreError) -> [Tag] {
        let submission = prepared.submission
        let (name, digest) = (submission.name, prepared.digest)
        let tag: Tag? = if case .tag(let tag) = submission.version { tag } else { nil }
        do {
            try requirePublishable(prepared, database)
            if let tag, !mayMoveChannel, try isChannel(database, tag, name) {
                throw StoreError(
                    .notPermitted, "\(name):\(tag) is a channel: to move it takes the right to promote")
            }
            if let tag, let verdict = judgement?.verdict {
                let isAllowed = try isChannel(database, tag, name) ? verdict.mayBoot : verdict.mayPublish
                guard isAllowed else {
                    throw StoreError(.untrusted, "\(name):\(tag) may not name this version: \(verdict.explanation)")
                }
            }
            if let tag, prepared.value.subject != nil, isRestricted(name) {
                throw StoreError(
                    .untrusted,
                    "\(name):\(tag) would name something that is attached to another version: push it without a tag")
            }
            try insert(
                database, prepared.value, submission.bytes.count, submission.mediaType, digest, name, tag, by: actor)
            if let judgement { try write(judgement, on: digest, name, database, by: actor) }
            return try String.fetchAll(
                database, sql: "SELECT tag FROM tag WHERE name = ? AND digest = ?",
                arguments: [name.description, digest.column]
            ).map { try Tag($0) }
        } catch {
            throw space.explain(error, as: "the catalog failed")
        }
    }

    private func insert(
        _ database: Database, _ manifest: Manifest, _ size: Int, _ mediaType: String, _ digest: Digest,
        _ name: ArtifactName, _ tag: Tag?, by actor: String
    ) throws {
        let now = clock()
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO manifest
                    (name, digest, media_type, artifact_type, subject, size, created_at, lived_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                name.description, digest.column, mediaType, manifest.referrerType, manifest.subject?.digest.column,
                size, now, lifetimeClock(),
            ])
        var isChange = database.changesCount > 0
        for reference in Self.references(of: manifest) {
            try database.executeOften(
                "INSERT OR IGNORE INTO manifest_reference (name, manifest, digest) VALUES (?, ?, ?)",
                [name.description, digest.column, reference.column])
        }
        if let tag {
            if try isChannel(database, tag, name) {
                _ = try move(database, tag, name, to: digest, restores: nil, .anywhere, "promote", by: actor)
            } else {
                try database.execute(
                    sql: "INSERT OR IGNORE INTO tag (name, tag, digest, updated_at) VALUES (?, ?, ?, ?)",
                    arguments: [name.description, tag.description, digest.column, now])
                isChange = isChange || database.changesCount > 0
            }
        }
        if isChange {
            let reference = tag.map { "\(name):\($0)" } ?? "\(name)@\(digest)"
            try audit.append(database, "publish", reference, "\(digest)", by: actor)
        }
    }

    private func isChannel(_ database: Database, _ tag: Tag, _ name: ArtifactName) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT is_channel FROM tag WHERE name = ? AND tag = ?",
            arguments: [name.description, tag.description]) == true
    }
}
