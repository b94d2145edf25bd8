package import Artifacts
internal import Glibc

/// Checks every signature of the evidence about a version, and follows signed lists to the files that they vouch for.
package struct EvidenceVerifier: Sendable {
    /// Lists that are listed by lists: deeper ones are not followed.
    private static let maximumDepth = 4

    private let signatures: SignatureVerifier
    private let blobPath: @Sendable (Digest) -> String

    /// `blobPath`: where the bytes of a digest are.
    package init(openPGP: any OpenPGPVerifying, blobPath: @escaping @Sendable (Digest) -> String) {
        signatures = SignatureVerifier(openPGP: openPGP)
        self.blobPath = blobPath
    }

    /// What a version is, to whoever vouches for it.
    package struct Subject: Sendable {
        package let manifest: Digest
        package let files: FileList

        package init(manifest: Digest, files: FileList) {
            self.manifest = manifest
            self.files = files
        }
    }

    /// One finding for each signature, and one for each list that nobody signs. Never throws: what cannot be read or run
    /// is a finding with a fault.
    package func findings(_ evidence: [Evidence], about subject: Subject, keys: [TrustKey]) async -> [SignatureFinding]
    {
        var findings: [SignatureFinding] = []
        var hashes: [Digest: String] = [:]
        for item in evidence {
            findings += await self.findings(item, subject, keys, &hashes)
        }
        return findings
    }

    private func findings(
        _ evidence: Evidence, _ subject: Subject, _ keys: [TrustKey], _ hashes: inout [Digest: String]
    ) async -> [SignatureFinding] {
        var findings: [SignatureFinding] = []
        for signature in evidence.signatures {
            let (target, content) = self.target(signature.target, evidence, subject)
            let blank = SignatureFinding(
                evidence: evidence.digest, format: signature.format, target: target, receivedAt: evidence.receivedAt,
                tool: SignatureVerifier.tool)
            guard let content else {
                findings.append(blank.with { $0.fault = "the version has no file '\(target)'" })
                continue
            }
            guard let bytes = read(signature.digest, limit: Int(Evidence.maximumSignatureSize)) else {
                findings.append(blank.with { $0.fault = "the signature \(signature.digest) cannot be read" })
                continue
            }
            let checks = await signatures.check(
                bytes, signature.format, over: content, keys: keys, at: evidence.receivedAt)
            // Files of a list are compared once for all who signed it.
            var covered: (SignatureFinding.Coverage, [String])?
            for check in checks {
                var finding = blank.with { $0.take(check) }
                if finding.fault == nil {
                    if covered == nil {
                        let (coverage, notes) = coverage(signature.target, evidence, subject, &hashes)
                        let parts = [signature.digest] + signature.target.parts
                        covered = (coverage.with(subject.files, that: parts), notes)
                    }
                    (finding.coverage, finding.notes) = covered ?? (.paths([]), [])
                }
                findings.append(finding)
            }
        }
        for list in evidence.lists where list.isClearSigned {
            let blank = SignatureFinding(
                evidence: evidence.digest, format: .openpgp, target: name(of: list), receivedAt: evidence.receivedAt,
                tool: "gpgv")
            let (checks, text) = await signatures.clearSigned(.file(path: blobPath(list.digest)), keys: keys)
            var covered: (SignatureFinding.Coverage, [String])?
            for check in checks {
                var finding = blank.with { $0.take(check) }
                if finding.fault == nil, let text {
                    if covered == nil {
                        let (coverage, notes) = follow(text, list, evidence, subject, &hashes, depth: 0)
                        covered = (coverage.with(subject.files, that: [list.digest]), notes)
                    }
                    (finding.coverage, finding.notes) = covered ?? (.paths([]), [])
                } else if finding.fault == nil {
                    finding.fault = "gpgv gave no signed text"
                }
                findings.append(finding)
            }
        }
        return findings
    }

    private func target(_ target: Evidence.Target, _ evidence: Evidence, _ subject: Subject)
        -> (name: String, content: SignedContent?)
    {
        switch target {
        case .manifest: return ("the manifest", .file(path: blobPath(subject.manifest)))
        case .file(let path):
            return (path.description, subject.files[path].map { .file(path: blobPath($0.digest)) })
        case .part(let digest):
            let list = evidence.lists.first { $0.digest == digest }
            return (list.map(name) ?? digest.description, .file(path: blobPath(digest)))
        }
    }

    private func name(of list: Evidence.List) -> String { list.title?.description ?? list.digest.description }

    private func coverage(
        _ target: Evidence.Target, _ evidence: Evidence, _ subject: Subject, _ hashes: inout [Digest: String]
    ) -> (SignatureFinding.Coverage, [String]) {
        switch target {
        case .manifest: return (.everything, [])
        case .file(let path): return (.paths([path]), [])
        case .part(let digest):
            guard let list = evidence.lists.first(where: { $0.digest == digest }) else { return (.paths([]), []) }
            guard !list.isClearSigned else {
                return (.paths([]), ["'\(name(of: list))' is signed as a whole, and is clear-signed: attach it once"])
            }
            guard let bytes = read(digest, limit: ChecksumList.maximumSize) else {
                return (.paths([]), ["'\(name(of: list))' cannot be read"])
            }
            return follow(bytes, list, evidence, subject, &hashes, depth: 0)
        }
    }

    /// The files that a signed list vouches for, itself and by the lists that it lists.
    private func follow(
        _ bytes: [UInt8], _ source: Evidence.List, _ evidence: Evidence, _ subject: Subject,
        _ hashes: inout [Digest: String], depth: Int
    ) -> (SignatureFinding.Coverage, [String]) {
        var paths: Set<ArtifactPath> = []
        var notes: [String] = []
        do throws(TrustError) {
            let list = try ChecksumList(bytes)
            for (path, file) in subject.files {
                guard let entry = try list.entry(for: path, folder: source.folder) else { continue }
                let isSame = try matches(entry, SignedContent.file(path: blobPath(file.digest)), file, &hashes)
                if isSame {
                    paths.insert(path)
                } else {
                    notes.append("'\(name(of: source))' has another hash or size for '\(path)'")
                }
            }
            for next in evidence.lists where next.digest != source.digest && !next.isClearSigned {
                guard let title = next.title, let entry = try list.entry(for: title) else { continue }
                guard depth < Self.maximumDepth, let bytes = read(next.digest, limit: ChecksumList.maximumSize) else {
                    notes.append("'\(title)' is not followed")
                    continue
                }
                let file = ReleaseFile(digest: next.digest, size: Int64(bytes.count))
                guard try matches(entry, .bytes(bytes), file, &hashes) else {
                    notes.append("'\(name(of: source))' has another hash or size for '\(title)'")
                    continue
                }
                let (more, others) = follow(bytes, next, evidence, subject, &hashes, depth: depth + 1)
                if case .paths(let more) = more { paths.formUnion(more) }
                notes += others
            }
        } catch {
            notes.append("'\(name(of: source))': \(error.message)")
            return (.paths([]), notes)
        }
        return (.paths(paths), notes)
    }

    /// Whether every hash of an entry is that of the content; its SHA-256 is known by its digest.
    private func matches(
        _ entry: ChecksumList.Entry, _ content: SignedContent, _ file: ReleaseFile, _ hashes: inout [Digest: String]
    ) throws(TrustError) -> Bool {
        if let size = entry.size, size != file.size { return false }
        for (hash, digits) in entry.hashes {
            switch hash {
            case .sha256:
                guard digits == file.digest.hex else { return false }
            case .sha384, .blake2b512:
                guard digits == Hexadecimal.encode(try content.hash(hash)) else { return false }
            case .sha512:
                if hashes[file.digest] == nil { hashes[file.digest] = Hexadecimal.encode(try content.hash(.sha512)) }
                guard digits == hashes[file.digest] else { return false }
            }
        }
        return !entry.hashes.isEmpty
    }

    /// nil when it is not there, or larger.
    private func read(_ digest: Digest, limit: Int) -> [UInt8]? {
        guard let bytes = try? SignedContent.file(path: blobPath(digest)).all(limit: limit),
            SHA256.digest(of: bytes) == digest
        else { return nil }
        return bytes
    }
}

extension Evidence.Target {
    fileprivate var parts: [Digest] { if case .part(let digest) = self { [digest] } else { [] } }
}

extension SignatureFinding.Coverage {
    /// A mirror has the signed list and its signature among its files. The list is what was signed, and in the place of the
    /// signature nothing else would be good: both are vouched for.
    fileprivate func with(_ files: FileList, that are: [Digest]) -> SignatureFinding.Coverage {
        guard case .paths(let paths) = self else { return self }
        return .paths(paths.union(files.filter { are.contains($0.file.digest) }.map(\.path)))
    }
}

extension SignatureFinding {
    fileprivate func with(_ change: (inout SignatureFinding) -> Void) -> SignatureFinding {
        var copy = self
        change(&copy)
        return copy
    }

    fileprivate mutating func take(_ check: SignatureCheck) {
        (key, signedAt, tool, fault) = (check.key, check.signedAt, check.tool, check.fault)
    }
}
