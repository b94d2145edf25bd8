package import Artifacts

/// What shows that somebody answers for a version: signatures, and lists of checksums that they sign. It is kept as a
/// manifest whose subject is the version's (Distribution specification 1.1, referrers); each of its layers is one part.
package struct Evidence: Sendable {
    /// `artifactType` of its manifest.
    package static let artifactType = "application/vnd.provisioner.evidence.v1"
    /// A list of checksums, signed by another part or listed by one.
    package static let checksums = "application/vnd.provisioner.checksums.v1"
    /// A list of checksums within an OpenPGP clear-signed text.
    package static let clearSigned = "application/vnd.provisioner.clearsigned.v1"
    /// On a signature: what it is over. `manifest` (as where it is missing), the path of one of the version's files after
    /// `file:`, or the digest of another part.
    package static let signsKey = "vnd.provisioner.signs"
    /// On a list: the folder of the list that the version's files are from.
    package static let folderKey = "vnd.provisioner.folder"
    /// The most parts, and the largest part that is no list.
    package static let maximumParts = 64
    package static let maximumSignatureSize: Int64 = 1 << 20

    package enum Target: Sendable, Hashable {
        case manifest
        case file(ArtifactPath)
        case part(Digest)
    }

    package struct Signature: Sendable, Hashable {
        package let digest: Digest
        package let format: SignatureFormat
        package let target: Target
    }

    package struct List: Sendable, Hashable {
        package let digest: Digest
        /// Its name in the list that lists it; nil when it has none.
        package let title: ArtifactPath?
        package let folder: ArtifactPath?
        package let isClearSigned: Bool
    }

    /// Of its manifest.
    package let digest: Digest
    /// Seconds since 1970, by the store's clock.
    package let receivedAt: Int64
    package let signatures: [Signature]
    package let lists: [List]

    /// - Throws: `TrustError` (`invalidEvidence`) that names the part at fault.
    package init(manifest: Manifest, digest: Digest, receivedAt: Int64) throws(TrustError) {
        let layers = manifest.layers ?? []
        guard layers.count <= Self.maximumParts else {
            throw TrustError(
                .invalidEvidence, "the evidence has \(layers.count) parts; \(Self.maximumParts) are the most")
        }
        var signatures: [Signature] = []
        var lists: [List] = []
        for layer in layers {
            if let format = SignatureFormat(mediaType: layer.mediaType) {
                guard layer.size <= Self.maximumSignatureSize else {
                    throw TrustError(.invalidEvidence, "the signature \(layer.digest) is larger than 1 MiB")
                }
                signatures.append(
                    Signature(digest: layer.digest, format: format, target: try Self.target(layer)))
            } else if [Self.checksums, Self.clearSigned].contains(layer.mediaType) {
                lists.append(
                    List(
                        digest: layer.digest, title: try Self.path(layer, AnnotationKey.title),
                        folder: try Self.path(layer, Self.folderKey),
                        isClearSigned: layer.mediaType == Self.clearSigned))
            } else {
                throw TrustError(
                    .invalidEvidence, "the part \(layer.digest) is of type '\(layer.mediaType)', which is no evidence")
            }
        }
        for case .part(let digest) in signatures.map(\.target) where !lists.contains(where: { $0.digest == digest }) {
            throw TrustError(.invalidEvidence, "a signature is over \(digest), which is no list of this evidence")
        }
        self.digest = digest
        self.receivedAt = receivedAt
        self.signatures = signatures
        self.lists = lists
    }

    private static func target(_ layer: Descriptor) throws(TrustError) -> Target {
        guard let text = layer.annotations?[signsKey], text != "manifest" else { return .manifest }
        if let digest = try? Digest(text) { return .part(digest) }
        guard text.hasPrefix("file:"), let path = try? ArtifactPath(text.dropFirst("file:".count)) else {
            throw TrustError(
                .invalidEvidence,
                "\(signsKey) is '\(text)': 'manifest', 'file:PATH' or the digest of a list is expected")
        }
        return .file(path)
    }

    private static func path(_ layer: Descriptor, _ key: String) throws(TrustError) -> ArtifactPath? {
        guard let text = layer.annotations?[key], !text.isEmpty else { return nil }
        do {
            return try ArtifactPath(text)
        } catch {
            throw TrustError(.invalidEvidence, "\(key): \(error.message)")
        }
    }
}
