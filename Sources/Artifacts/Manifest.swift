internal import FoundationEssentials

/// A descriptor (image specification 1.1): what a manifest says of a blob.
package struct Descriptor: Hashable, Sendable, Codable {
    package var mediaType: String
    package var digest: Digest
    /// Bytes.
    package var size: Int64
    package var annotations: [String: String]?
    package var artifactType: String?

    package init(mediaType: String, digest: Digest, size: Int64, annotations: [String: String]? = nil) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.annotations = annotations
    }
}

extension Digest: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        self = try Digest(text)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// An image manifest or an index, as far as the store has to understand it. The stored bytes are always those that
/// were sent: this value is for reading them.
package struct Manifest: Sendable, Codable {
    /// Larger manifests are refused (Distribution specification 1.1, "Pushing Manifests": at least 4 MiB).
    package static let maximumSize = 4 << 20

    package var schemaVersion: Int
    package var mediaType: String?
    package var artifactType: String?
    package var config: Descriptor?
    package var layers: [Descriptor]?
    package var manifests: [Descriptor]?
    package var subject: Descriptor?
    package var annotations: [String: String]?

    /// The manifest of a set of files: one layer each, in the order of their paths.
    package init(configuration: Descriptor, layers: [Descriptor], annotations: [String: String] = [:]) {
        schemaVersion = 2
        mediaType = MediaType.imageManifest
        artifactType = MediaType.artifact
        config = configuration
        self.layers = layers
        self.annotations = annotations.isEmpty ? nil : annotations
    }

    /// An index of other manifests.
    package init(index manifests: [Descriptor]) {
        schemaVersion = 2
        mediaType = MediaType.imageIndex
        self.manifests = manifests
    }

    /// Reads a manifest.
    /// - Throws: `ArtifactError` (`invalidManifest`) that names the key at fault.
    package init(json: some Sequence<UInt8>) throws(ArtifactError) {
        let data = Data(json)
        guard data.count <= Self.maximumSize else {
            throw ArtifactError(
                .invalidManifest, "the manifest has \(data.count) bytes; \(Self.maximumSize) are allowed")
        }
        do {
            self = try JSONDecoder().decode(Manifest.self, from: data)
        } catch {
            throw ArtifactError(.invalidManifest, "the manifest cannot be read: \(Self.explain(error))")
        }
        guard schemaVersion == 2 else {
            throw ArtifactError(.invalidManifest, "schemaVersion is \(schemaVersion): only 2 is supported")
        }
        for descriptor in (layers ?? []) + (manifests ?? []) + [config, subject].compactMap({ $0 })
        where descriptor.size < 0 {
            throw ArtifactError(.invalidManifest, "the size of \(descriptor.digest) is negative")
        }
    }

    /// Everything that the manifest lists; not its subject.
    package var descriptors: [Descriptor] { [config].compactMap { $0 } + (layers ?? []) + (manifests ?? []) }

    /// The type that a list of referrers shows: the manifest's own, else that of its configuration (Distribution
    /// specification 1.1, "Listing Referrers").
    package var referrerType: String? {
        if let artifactType, !artifactType.isEmpty { return artifactType }
        return config?.mediaType
    }

    /// Canonical bytes: keys sorted, slashes plain. The same manifest always gives the same bytes.
    /// - Throws: whatever Foundation's encoder does; a manifest of plain values encodes always.
    package func canonicalJSON() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self))
    }

    private static func explain(_ error: any Error) -> String {
        guard let error = error as? DecodingError else {
            return (error as? ArtifactError)?.message ?? "it is not JSON"
        }
        func at(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
            return path.isEmpty ? "the document" : path.joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(at(context)) lacks '\(key.stringValue)'"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "\(at(context)) has the wrong type"
        case .dataCorrupted(let context):
            // Foundation says the same of a broken text and of a number that is no Int64, and not where it stands.
            let cause =
                (context.underlyingError as? ArtifactError)?.message
                ?? "it is not valid JSON, or a number is not whole or too large"
            return "\(at(context)): \(cause)"
        @unknown default: return "it is not a manifest"
        }
    }
}
