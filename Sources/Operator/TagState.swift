internal import Artifacts
internal import AsyncHTTPClient
internal import ControlAPI
internal import Foundation
internal import NIOHTTP1

/// What a tag is before a push. Asked before a byte is sent: a version that is published is not pushed over, and gigabytes
/// later is late to say so.
enum TagState {
    /// Nothing has it.
    case free
    /// A channel may be moved.
    case channel
    /// Published, and immutable.
    case version(String)

    /// - Throws: `OperatorError`.
    static func of(_ tag: Tag, _ name: ArtifactName, _ client: ControlClient) async throws -> TagState {
        let response = try await client.send(.HEAD, "/v2/\(name)/manifests/\(tag)")
        switch response.status.code {
        case 200: break
        // A HEAD has no words for a refusal: what comes next is refused with them.
        case 404, 401, 403: return .free
        default: throw await ControlClient.refusal(response)
        }
        guard let digest = response.headers.first(name: ControlHeader.contentDigest) else { return .free }
        let channel = try await client.send(.GET, "\(ControlPath.channels)/\(name):\(tag)")
        guard channel.status.code == 200 else { return .version(digest) }
        let bytes = try await ControlClient.bytes(of: channel)
        guard let report = try? JSONDecoder().decode(ChannelReport.self, from: Data(bytes)) else {
            throw OperatorError(.protocolFailure, "the server's answer about \(name):\(tag) cannot be read")
        }
        return report.moves.first?.digest.description == digest ? .channel : .version(digest)
    }

    /// - Throws: `OperatorError` `refused` when the tag is a version with another digest.
    func require(_ digest: Digest, for reference: Reference) throws(OperatorError) {
        guard case .version(let other) = self, other != digest.description else { return }
        throw OperatorError(
            .refused, "\(reference) is published with other files and immutable (\(other)): publish under another tag")
    }
}
