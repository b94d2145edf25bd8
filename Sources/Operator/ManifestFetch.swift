internal import Artifacts
internal import AsyncHTTPClient
internal import Foundation
internal import NIOHTTP1

/// A version as the server has it, checked: the bytes of the manifest have the digest that names it.
struct FetchedRelease {
    let digest: Digest
    let mediaType: String
    /// Of the manifest, as they are signed.
    let bytes: [UInt8]
    let manifest: Manifest
    let release: Release

    /// - Throws: `OperatorError`.
    static func fetch(_ reference: Reference, _ client: ControlClient) async throws -> FetchedRelease {
        let (digest, mediaType, bytes, manifest) = try await fetchManifest(reference, client)
        guard manifest.isTree else {
            return FetchedRelease(
                digest: digest, mediaType: mediaType, bytes: bytes, manifest: manifest,
                release: try Release(digest: digest, manifest: manifest))
        }
        var pages: [FilePage] = []
        for page in manifest.manifests ?? [] {
            let reference = Reference(name: reference.name, version: .digest(page.digest))
            pages.append(try FilePage(manifest: try await fetchManifest(reference, client).manifest))
        }
        return FetchedRelease(
            digest: digest, mediaType: mediaType, bytes: bytes, manifest: manifest,
            release: Release(digest: digest, files: try FileList(pages)))
    }

    private static func fetchManifest(_ reference: Reference, _ client: ControlClient) async throws -> (
        digest: Digest, mediaType: String, bytes: [UInt8], manifest: Manifest
    ) {
        let response = try await client.require(
            [200], .GET, "/v2/\(reference.name)/manifests/\(reference.version)",
            headers: [("accept", MediaType.manifests.sorted().joined(separator: ", "))])
        let bytes = try await ControlClient.bytes(of: response)
        let digest = SHA256.digest(of: bytes)
        if case .digest(let expected) = reference.version, expected != digest {
            throw OperatorError(.digestMismatch, "the server's manifest has digest \(digest), not \(expected)")
        }
        return (digest, response.headers.first(name: "content-type") ?? "", bytes, try Manifest(json: bytes))
    }
}
