import Artifacts
import Foundation
import Store
import TestSupport
import Trust

/// An SSH key of a test, and what it signs.
struct SigningKey: Sendable {
    let path: String
    let key: TrustKey

    /// Makes a key in a folder that exists.
    static func make(_ name: String, in folder: String, identity: String? = nil) async throws -> SigningKey {
        let path = "\(folder)/\(name)"
        try await CommandRunner.local.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path])
        let text = try String(contentsOfFile: path + ".pub", encoding: .utf8)
        return SigningKey(path: path, key: try TrustKey(name: name, identity: identity, format: .ssh, text: text))
    }

    func sign(_ bytes: [UInt8], namespace: String = TrustKey.manifestNamespace) async throws -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self)
        let result = try await CommandRunner.local.run(
            ["ssh-keygen", "-Y", "sign", "-q", "-n", namespace, "-f", path], input: text)
        return Array(result.standardOutput.utf8)
    }

    /// Evidence about a manifest, its parts uploaded.
    func evidence(about manifest: [UInt8], name: ArtifactName, in store: ArtifactStore) async throws
        -> ManifestSubmission
    {
        let signature = try await sign(manifest)
        try await store.push(signature, name: name)
        try await store.push(Array("{}".utf8), name: name)
        return try Self.evidence(signature, .ssh, about: manifest, name: name)
    }

    static func evidence(
        _ signature: [UInt8], _ format: SignatureFormat, about manifest: [UInt8], name: ArtifactName
    ) throws -> ManifestSubmission {
        let configuration = Descriptor(
            mediaType: "application/vnd.oci.empty.v1+json", digest: SHA256.digest(of: "{}".utf8), size: 2)
        var evidence = Manifest(
            configuration: configuration,
            layers: [
                Descriptor(
                    mediaType: format.mediaType, digest: SHA256.digest(of: signature), size: Int64(signature.count))
            ])
        evidence.artifactType = Evidence.artifactType
        evidence.subject = Descriptor(
            mediaType: MediaType.imageManifest, digest: SHA256.digest(of: manifest), size: Int64(manifest.count))
        let bytes = try evidence.canonicalJSON()
        return ManifestSubmission(
            name: name, version: .digest(SHA256.digest(of: bytes)), mediaType: MediaType.imageManifest, bytes: bytes)
    }
}
