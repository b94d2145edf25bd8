internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// Where the files of a recipe are: below a URL, or in a folder of the same layout, such as a stick's.
struct UpstreamSource {
    private static let attempts = 5

    /// A URL or a folder, without a slash at the end.
    let place: String
    /// Where fetched files are kept, so that what broke off goes on, and what is there is not fetched again.
    let cache: URL
    let client: HTTPClient

    var isFolder: Bool { !Self.isURL(place) }

    static func isURL(_ text: String) -> Bool { text.hasPrefix("http://") || text.hasPrefix("https://") }

    /// A file's place on this machine, fetched where it is not there. `check` is told the place of a file that is there
    /// already, and says whether it is the right one; without, a file is fetched anew.
    /// - Throws: `OperatorError`.
    func file(
        _ path: String, _ progress: ProgressReport, isRight check: ((String) throws -> Bool)? = nil
    ) async throws -> String {
        guard Self.isURL(path) || !isFolder else {
            let file = place(of: path)
            guard FileManager.default.fileExists(atPath: file) else {
                throw OperatorError(.file, "\(file) is not there: the folder must have upstream's layout")
            }
            return file
        }
        let url = Self.isURL(path) ? path : "\(place)/\(path)"
        let file = cached(path)
        if let check, FileManager.default.fileExists(atPath: file) {
            if try check(file) {
                progress.note("\(path): it is there")
                return file
            }
            try? FileManager.default.removeItem(atPath: file)
        }
        try FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
        try await fetch(url, to: file, resumes: check != nil, progress)
        return file
    }

    /// Where a file is that `file` has returned before.
    func place(of path: String) -> String { isFolder && !Self.isURL(path) ? "\(place)/\(path)" : cached(path) }

    /// Where a file is kept that was fetched.
    func cached(_ path: String) -> String {
        cache.appendingPathComponent(Self.cacheName(Self.isURL(path) ? path : "\(place)/\(path)")).path
    }

    /// The path after the host, with what no file name may have left out: one file for each URL.
    private static func cacheName(_ url: String) -> String {
        let rest = url.drop { $0 != "/" }.dropFirst(2)
        return String(rest.map { $0.isLetter || $0.isNumber || ".-_+~".contains($0) ? $0 : "_" })
    }

    private func fetch(_ url: String, to file: String, resumes: Bool, _ progress: ProgressReport) async throws {
        let partial = file + ".partial"
        if !resumes { try? FileManager.default.removeItem(atPath: partial) }
        var failures = 0
        while true {
            do {
                try await receive(url, into: partial, progress)
                break
            } catch let error as OperatorError where error.code == .unreachable {
                failures += 1
                guard failures < Self.attempts else { throw error }
                progress.note("\(error.message): trying again")
                try await Task.sleep(for: .seconds(failures))
            }
        }
        guard rename(partial, file) == 0 else {
            throw OperatorError(.file, "\(file) cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    /// Goes on where the partial file ends. The bytes are compared with the signed list afterwards, whoever sent them.
    private func receive(_ url: String, into partial: String, _ progress: ProgressReport) async throws {
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw OperatorError(.file, "\(partial) cannot be written: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var offset = Int64(lseek(descriptor, 0, SEEK_END))
        var request = HTTPClientRequest(url: url)
        if offset > 0 { request.headers.add(name: "range", value: "bytes=\(offset)-") }
        request.headers.add(name: "user-agent", value: "artifactctl")
        let response: HTTPClientResponse
        do {
            response = try await client.execute(request, timeout: .hours(24))
        } catch {
            throw OperatorError(.unreachable, "\(url) cannot be fetched (\(error))")
        }
        switch response.status.code {
        case 206: break
        case 200:
            // It sends all of it.
            offset = 0
            guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
                throw OperatorError(.file, "\(partial) cannot be written: \(String(cString: strerror(errno)))")
            }
        case 416: return
        case 500...599: throw OperatorError(.unreachable, "\(url): the server answered \(response.status.code)")
        default:
            throw OperatorError(
                .refused, "\(url): the server answered \(response.status.code) \(response.status.reasonPhrase)")
        }
        let length = response.headers.first(name: "content-length").flatMap(Int64.init) ?? 0
        let name = url.split(separator: "/").last.map(String.init) ?? url
        progress.begin("fetch \(name)", total: offset + length, done: offset)
        do {
            for try await piece in response.body {
                var rest = piece.readableBytesView[...]
                while !rest.isEmpty {
                    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                    guard count > 0 else {
                        throw OperatorError(.file, "\(partial) cannot be written: \(String(cString: strerror(errno)))")
                    }
                    rest = rest.dropFirst(count)
                    offset += Int64(count)
                }
                progress.update(offset)
            }
        } catch let error as OperatorError {
            throw error
        } catch {
            throw OperatorError(.unreachable, "\(url) broke off after \(offset) bytes (\(error))")
        }
        progress.end("fetched")
    }
}
