internal import Artifacts
internal import AsyncHTTPClient
internal import ControlAPI
internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// Sends one blob. When the connection breaks it asks where the server stands and goes on from there.
struct BlobUpload: Sendable {
    /// How often a broken connection is taken up again without a byte of progress.
    static let attempts = 5

    let client: ControlClient
    let name: ArtifactName
    let memory: UploadMemory

    /// Whether the server has the blob already; it keeps it then until the manifest comes.
    func isThere(_ digest: Digest) async throws -> Bool {
        let response = try await client.send(.HEAD, "/v2/\(name)/blobs/\(digest)")
        switch response.status.code {
        case 200: return true
        // A HEAD has no words for a refusal: what comes next is refused with them.
        case 404, 401, 403, 429: return false
        default: throw await ControlClient.refusal(response)
        }
    }

    /// Goes on with an earlier upload of the same blob where there is one that nobody else goes on with.
    /// - Throws: `OperatorError`. When the connection broke, or the push was called off, the upload stays for the next try;
    ///   whatever else went wrong, it is cancelled.
    func send(_ file: LocalFile, digest: Digest, progress: @escaping @Sendable (Int64) -> Void) async throws {
        _ = try await send(file, key: digest, { FileDigester(file, known: digest) }, progress)
    }

    /// Sends a file that nobody has hashed yet, and hashes it on the way: it is read once.
    /// - Returns: its digest.
    /// - Throws: as for one with a digest.
    func sendUnhashed(_ file: LocalFile, progress: @escaping @Sendable (Int64) -> Void) async throws -> Digest {
        try await send(file, key: file.identity, { FileDigester(file, known: nil) }, progress)
    }

    /// `key` is what the upload is remembered by.
    private func send(
        _ file: LocalFile, key: Digest, _ digester: () -> FileDigester, _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> Digest {
        guard memory.enter(key) else { return try await begin(file, digester(), progress) { _ in } }
        defer { memory.leave(key) }
        if let earlier = try await earlier(file, key) {
            do {
                let digest = try await send(
                    file, digester(), to: earlier.location, from: earlier.offset, progress: progress)
                memory.remember(nil, name, key)
                return digest
            } catch let error as OperatorError where error.code == .refused && error.status != 403 {
                // It has run out, or its bytes are of a file that was another then.
                memory.remember(nil, name, key)
            }
        }
        return try await begin(file, digester(), progress) { memory.remember($0, name, key) }
    }

    /// `remember` is told where the upload is, and nil when it has ended.
    private func begin(
        _ file: LocalFile, _ digester: FileDigester, _ progress: @escaping @Sendable (Int64) -> Void,
        _ remember: (String?) -> Void
    ) async throws -> Digest {
        let opened = try await client.require(
            [202], .POST, "/v2/\(name)/blobs/uploads/", headers: [(ControlHeader.uploadLength, String(file.size))])
        guard let location = opened.headers.first(name: "location") else { throw Self.noLocation }
        remember(location)
        do {
            let digest = try await send(file, digester, to: location, from: 0, progress: progress)
            remember(nil)
            return digest
        } catch let error as OperatorError where error.code == .unreachable {
            throw error
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            // The server would keep the room for a day; where it cannot be told, it does.
            _ = try? await client.send(.DELETE, location)
            remember(nil)
            throw error
        }
    }

    /// - Throws: `OperatorError` `unreachable`: a server that is slow to look at what it has is no reason to begin anew.
    private func earlier(_ file: LocalFile, _ key: Digest) async throws -> (location: String, offset: Int64)? {
        guard let location = memory.location(name, key) else { return nil }
        do {
            let place = try await status(location)
            return place.offset <= file.size ? place : nil
        } catch let error as OperatorError where error.code == .refused {
            return nil
        }
    }

    private func send(
        _ file: LocalFile, _ digester: FileDigester, to start: String, from first: Int64,
        progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> Digest {
        // What was hashed and what is sent are the same bytes: only the file system tells of a change in between.
        let identity = file.identity
        var location = start
        var offset = first
        progress(first)
        var attempt = 0
        while true {
            do {
                try await piece(file, digester, from: offset, to: location, progress)
                break
            } catch let error as OperatorError where error.code == .unreachable || error.status == 416 {
                attempt += 1
                guard attempt < Self.attempts else { throw error }
                if error.code == .unreachable { try await Task.sleep(for: .seconds(attempt)) }
                guard let place = try? await status(location) else { continue }
                location = place.location
                if place.offset > offset { attempt = 0 }
                offset = place.offset
            }
        }
        let digest = try digester.finish()
        guard file.identity == identity else {
            throw OperatorError(.file, "\(file.name) has changed while it was sent: push again")
        }
        let separator = location.contains("?") ? "&" : "?"
        _ = try await client.require(
            [201], .PUT, "\(location)\(separator)digest=\(digest)", headers: [("content-length", "0")])
        return digest
    }

    /// Sends a small blob that is in memory.
    func send(_ bytes: [UInt8], digest: Digest) async throws {
        let opened = try await client.require([202], .POST, "/v2/\(name)/blobs/uploads/")
        guard let location = opened.headers.first(name: "location") else { throw Self.noLocation }
        let separator = location.contains("?") ? "&" : "?"
        _ = try await client.require(
            [201], .PUT, "\(location)\(separator)digest=\(digest)", body: .bytes(ByteBuffer(bytes: bytes)))
    }

    private static let noLocation = OperatorError(.protocolFailure, "the server gave no place to upload to")

    private func piece(
        _ file: LocalFile, _ digester: FileDigester, from offset: Int64, to location: String,
        _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws {
        let length = file.size - offset
        guard length > 0 else { return }
        let pieces = FilePieces(file: file, start: offset, digester: digester, progress: progress)
        _ = try await client.require(
            [202], .PATCH, location,
            headers: [("content-type", MediaType.file), ("content-range", "\(offset)-\(file.size - 1)")],
            body: .stream(pieces, length: .known(length)))
    }

    private func status(_ location: String) async throws -> (location: String, offset: Int64) {
        let response = try await client.require([204], .GET, location)
        guard let offset = response.headers.first(name: ControlHeader.uploadOffset).flatMap({ Int64($0) }) else {
            throw OperatorError(.protocolFailure, "the server does not say where the upload stands")
        }
        return (response.headers.first(name: "location") ?? location, offset)
    }
}
