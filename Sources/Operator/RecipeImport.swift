internal import Artifacts
internal import Foundation
internal import GPGV
internal import Recipes
internal import Trust

/// Fetches what a recipe names, and verifies every link of the chain before anything is published.
struct RecipeImport {
    let recipe: Recipe
    let source: UpstreamSource
    let progress: ProgressReport
    /// Nothing of it is signed, and the operator says to go on.
    let acceptsUnsigned: Bool

    /// What is to be published.
    struct Result {
        /// Name in the artifact, path upstream, and where it is on this machine.
        var files: [(name: ArtifactPath, path: String, place: String)]
        var evidence: EvidenceDraft
        var verdict: Verdict?
    }

    /// - Throws: `OperatorError` with every reason when something is not signed as the recipe says.
    func run(signing evidence: EvidenceDraft) async throws -> Result {
        let keys = try await self.keys()
        var evidence = evidence
        var texts: [[UInt8]] = []
        for list in recipe.lists {
            let place = try await source.file(list.path, progress)
            let bytes =
                list.isCompressed
                ? try CompressedList.read(place, limit: ChecksumList.maximumSize)
                : try Self.bytes(of: place, limit: ChecksumList.maximumSize)
            evidence.addList(list.name, bytes, folder: list.folder)
            texts.append(bytes)
            if let path = list.signature {
                evidence.signatures.append(try await signature(path, what: list.name.description))
            }
        }
        // What the lists say, before anybody has looked at their signatures: it tells early what cannot be right.
        let lists = zip(recipe.lists, texts).compactMap { list, text in
            (try? ChecksumList(text)).map { (list.folder, $0) }
        }
        let fetched = Set(recipe.lists.map(\.path) + recipe.lists.compactMap(\.signature))
        if recipe.unsigned == nil { try await requireSigners(evidence, keys) }
        var files: [(name: ArtifactPath, path: String, place: String)] = []
        for file in recipe.files + (try packages(texts)) {
            let expected = lists.lazy.compactMap { folder, list in try? list.entry(for: file.name, folder: folder) }
                .first
            let place: String
            if fetched.contains(file.path) {
                // Once: upstream may have another one by now.
                place = source.place(of: file.path)
            } else {
                place = try await source.file(file.path, progress) { place in
                    try expected.map { try Self.matches($0, place) } ?? false
                }
            }
            if let expected, try !Self.matches(expected, place) {
                if !source.isFolder { try? FileManager.default.removeItem(atPath: place) }
                throw OperatorError(
                    .digestMismatch, "\(file.path) is not the file that upstream's list names: fetched again, it may be"
                )
            }
            if let path = file.signature {
                evidence.signatures.append(try await signature(path, what: file.name.description))
            }
            files.append((file.name, file.path, place))
        }
        guard recipe.unsigned == nil else { return Result(files: files, evidence: evidence, verdict: nil) }
        return Result(files: files, evidence: evidence, verdict: try await verify(files, evidence, keys))
    }

    /// The packages of the recipe's choice.
    private func packages(_ lists: [[UInt8]]) throws -> [Recipe.File] {
        try recipe.packages.flatMap { packages -> [Recipe.File] in
            let text = zip(recipe.lists, lists).first { $0.0.name == packages.list }?.1 ?? []
            do throws(TrustError) {
                return try PackageIndex(text).files(packages.choice).map {
                    Recipe.File(name: $0, path: $0.description, signature: nil)
                }
            } catch {
                throw OperatorError(.file, "\(packages.list): \(error.message)")
            }
        }
    }

    // MARK: Keys and signatures

    /// Certificates that are fetched come from wherever: only keys with the recipe's fingerprints count.
    private func keys() async throws -> [TrustKey] {
        if let reason = recipe.unsigned, !acceptsUnsigned {
            throw OperatorError(
                .refused,
                "\(recipe.title): \(reason). Look at the files yourself, then import with --unsigned, and sign with --ssh-key or --minisign-key"
            )
        }
        var keys: [TrustKey] = []
        for key in recipe.keys {
            var ring = key.keyring
            if let url = key.fetch {
                let name = url.split(separator: "/").last.map(String.init) ?? url
                let place = try await source.file(source.isFolder ? name : url, progress)
                ring = try Self.bytes(of: place, limit: 16 << 20)
            }
            do throws(TrustError) {
                keys.append(try TrustKey(name: key.name, format: key.format, text: key.text, keyring: ring))
            } catch {
                throw OperatorError(.file, "the recipe's key \(key.name): \(error.message)")
            }
        }
        return keys
    }

    private func signature(_ path: String, what: String) async throws -> EvidenceDraft.Signature {
        let bytes = try Self.bytes(of: try await source.file(path, progress), limit: Int(Evidence.maximumSignatureSize))
        guard let format = SignatureFormat(sniffing: bytes) else {
            throw OperatorError(.file, "\(path) is no signature of a form that is known")
        }
        return EvidenceDraft.Signature(file: path, what: what, format: format, bytes: bytes)
    }

    /// Whether the lists are signed at all: told before gigabytes are fetched. Signatures of single files come with them.
    private func requireSigners(_ evidence: EvidenceDraft, _ keys: [TrustKey]) async throws {
        guard !recipe.lists.isEmpty else { return }
        let nothing = try FileList(FilePage([]))
        let findings = try await findings(evidence, keys, about: nothing, places: [:])
        guard !findings.contains(where: { $0.fault == nil }) else { return }
        let faults = findings.map { "\($0.target): \($0.fault ?? "")" }
        throw OperatorError(.refused, "no list is signed by the recipe's keys: \(faults.joined(separator: "; "))")
    }

    private func verify(
        _ files: [(name: ArtifactPath, path: String, place: String)], _ evidence: EvidenceDraft, _ keys: [TrustKey]
    ) async throws -> Verdict {
        var places: [Digest: String] = [:]
        var released: [ArtifactPath: ReleaseFile] = [:]
        for (name, _, place) in files {
            let local = try LocalFile(place, path: name)
            progress.begin("verify \(name)", total: local.size)
            let digest = try local.digest { progress.update($0) }
            progress.end("\(digest)")
            places[digest] = place
            released[name] = ReleaseFile(digest: digest, size: local.size)
        }
        let list = try FileList(FilePage(released.map { ($0.key, $0.value) }))
        let findings = try await findings(evidence, keys, about: list, places: places)
        let basis = TrustBasis(
            policy: TrustPolicy(keys: keys, rules: [TrustRule(names: [.all], signers: keys.map(\.name))]))
        let verdict = basis.verdict(
            on: recipe.artifact, files: list, findings: findings, now: Int64(Date().timeIntervalSince1970))
        guard verdict.outcome == .trusted else { throw OperatorError(.refused, verdict.explanation) }
        return verdict
    }

    private func findings(
        _ evidence: EvidenceDraft, _ keys: [TrustKey], about files: FileList, places: [Digest: String]
    ) async throws -> [SignatureFinding] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("artifactctl-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        var places = places
        let parts = try evidence.readParts(files: files.map(\.path), skipsUnknown: files.isEmpty)
        for part in parts {
            let place = folder.appendingPathComponent(part.descriptor.digest.hex)
            try Data(part.bytes).write(to: place)
            places[part.descriptor.digest] = place.path
        }
        let manifest = EvidenceDraft.manifest(parts.map(\.descriptor), about: nil)
        let known = places
        let verifier = EvidenceVerifier(openPGP: GPGV()) { known[$0] ?? "/nonexistent" }
        return await verifier.findings(
            [try Evidence(manifest: manifest, digest: .empty, receivedAt: Int64(Date().timeIntervalSince1970))],
            about: EvidenceVerifier.Subject(manifest: .empty, files: files), keys: keys)
    }

    // MARK: Files

    private static func matches(_ entry: ChecksumList.Entry, _ place: String) throws -> Bool {
        for (hash, digits) in entry.hashes {
            guard Hexadecimal.encode(try SignedContent.file(path: place).hash(hash)) == digits else { return false }
        }
        return true
    }

    private static func bytes(of place: String, limit: Int) throws -> [UInt8] {
        do {
            return try SignedContent.file(path: place).all(limit: limit)
        } catch {
            throw OperatorError(.file, error.message)
        }
    }
}
