internal import Artifacts
internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOFoundationCompat
internal import NIOHTTP1
internal import Site

/// Loads over HTTP as a boot loader does: from the address that the network's DNS gave, following nothing.
struct HTTPProbe {
    /// What came.
    struct Answer {
        let status: UInt
        let size: Int64
        let digest: Digest
        /// The digest that the server names for it (ETag).
        let tag: String?
        /// Where it is small.
        let text: String
    }

    private static let smallBody = 1 << 20
    private let client: HTTPClient

    /// `addresses`: of each name that will be asked.
    init(addresses: [String: IPv4Address]) {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.dnsOverride = addresses.mapValues(\.description)
        configuration.timeout = .init(connect: .seconds(5), read: .seconds(30))
        client = HTTPClient(configuration: configuration)
    }

    func close() async { try? await client.shutdown() }

    /// - Parameters:
    ///   - url: what to load.
    ///   - file: where the body is also written to, for who reads it as a file; nil: nowhere.
    /// - Returns: the answer, whatever its status.
    /// - Throws: `PreflightError` where there is none, or it ends early.
    func fetch(_ url: String, to file: URL? = nil) async throws(PreflightError) -> Answer {
        do {
            let response = try await client.execute(HTTPClientRequest(url: url), timeout: .hours(1))
            let hash = try SHA256()
            var (size, start) = (Int64(0), [UInt8]())
            let output = try file.map { try Self.create($0) }
            defer { try? output?.close() }
            for try await buffer in response.body {
                buffer.withUnsafeReadableBytes { hash.update($0) }
                size += Int64(buffer.readableBytes)
                if size <= Self.smallBody { start += buffer.readableBytesView }
                try output?.write(contentsOf: buffer.readableBytesView)
            }
            if let length = response.headers.first(name: "content-length"), Int64(length) != size {
                throw PreflightError(message: "\(size) bytes came of \(length)")
            }
            return Answer(
                status: response.status.code, size: size, digest: hash.finish(),
                tag: response.headers.first(name: "etag"), text: String(decoding: start, as: UTF8.self))
        } catch let error as PreflightError {
            throw error
        } catch {
            throw PreflightError(message: "\(error)")
        }
    }

    private static func create(_ file: URL) throws -> FileHandle {
        guard FileManager.default.createFile(atPath: file.path, contents: nil, attributes: [.posixPermissions: 0o600])
        else { throw PreflightError(message: "\(file.path) cannot be written") }
        return try FileHandle(forWritingTo: file)
    }
}
