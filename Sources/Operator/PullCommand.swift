internal import ArgumentParser
internal import Artifacts
internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// `artifactctl pull NAME:TAG[/PATH]`.
struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Fetch the files of a version, or one of them.",
        discussion: """
            Every file is checked against its digest before it gets its name. A file that is there with the right bytes
            is not fetched again.
            """)

    @OptionGroup var server: ServerOptions

    @Option(name: .shortAndLong, help: "The directory to write to.", completion: .directory)
    var output = "."

    @Flag(help: "Print the result as JSON, and no progress.")
    var json = false

    @Argument(help: "The version or file: NAME:TAG, NAME@sha256:HEX, NAME:TAG/PATH.")
    var reference: String

    func validate() throws {
        do { _ = try Self.parse(reference) } catch { throw ValidationError("\(error)") }
    }

    /// A version, and the path in it when one file is meant.
    private static func parse(_ text: String) throws(ArtifactError) -> (Reference, ArtifactPath?) {
        if let file = try? FileReference(text) { return (file.artifact, file.path) }
        return (try Reference(text), nil)
    }

    func run() async throws {
        let (reference, only) = try Self.parse(self.reference)
        let progress = ProgressReport(style: ProgressReport.style(json: json))
        let pulled = try await ControlClient.with(try server.connection()) { client in
            let fetched = try await FetchedRelease.fetch(reference, client)
            if let only, fetched.release.files[only] == nil {
                throw OperatorError(.refused, "\(reference) has no file '\(only)'")
            }
            var result: [PullResult.File] = []
            for (path, file) in fetched.release.files where only == nil || path == only {
                let target = URL(fileURLWithPath: output).appendingPathComponent(path.description).path
                let isFetched = try await Download(client: client, name: reference.name, progress: progress)
                    .run(path, file, to: target)
                result.append(PullResult.File(path: target, digest: file.digest, size: file.size, fetched: isFetched))
            }
            return PullResult(reference: reference.description, digest: fetched.digest, files: result)
        }
        print(
            json
                ? try OutputFormat.json(pulled) : pulled.files.map { "\($0.path) \($0.digest)" }.joined(separator: "\n")
        )
    }
}

/// What a pull did, for `--json`.
struct PullResult: Codable {
    struct File: Codable {
        var path: String
        var digest: Digest
        var size: Int64
        /// False when it was there.
        var fetched: Bool
    }

    var reference: String
    var digest: Digest
    var files: [File]
}

/// Fetches one file: beside its place, checked, then renamed.
struct Download {
    let client: ControlClient
    let name: ArtifactName
    let progress: ProgressReport

    /// - Returns: false when the file was there with the right bytes.
    func run(_ path: ArtifactPath, _ file: ReleaseFile, to target: String) async throws -> Bool {
        if let local = try? LocalFile(target, path: path), local.size == file.size,
            try local.digest(progress: { _ in }) == file.digest
        {
            progress.begin("fetch \(path)", total: file.size, done: file.size)
            progress.end("it is there")
            return false
        }
        let manager = FileManager.default
        if let place = Self.fileInTheWay(of: target) {
            throw OperatorError(.file, "\(place) is a file, and a directory is needed there: choose another --output")
        }
        try manager.createDirectory(
            atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        let partial = target + ".part"
        guard manager.createFile(atPath: partial, contents: nil), let handle = FileHandle(forWritingAtPath: partial)
        else {
            throw OperatorError(.file, "\(partial) cannot be written")
        }
        do {
            try await receive(path, file, into: handle)
            try handle.synchronize()
            try handle.close()
            guard rename(partial, target) == 0 else { throw OperatorError(.file, "\(target) cannot be written") }
        } catch {
            try? handle.close()
            try? manager.removeItem(atPath: partial)
            throw error
        }
        progress.end("\(file.digest)")
        return true
    }

    /// A file where a directory of the target's path should be.
    private static func fileInTheWay(of target: String) -> String? {
        var path = (target as NSString).deletingLastPathComponent
        while !path.isEmpty, path != "/" {
            var isDirectory: ObjCBool = false
            if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) {
                return isDirectory.boolValue ? nil : path
            }
            path = (path as NSString).deletingLastPathComponent
        }
        return nil
    }

    private func receive(_ path: ArtifactPath, _ file: ReleaseFile, into handle: FileHandle) async throws {
        progress.begin("fetch \(path)", total: file.size)
        let response = try await client.require([200], .GET, "/v2/\(name)/blobs/\(file.digest)")
        let hasher = try SHA256()
        var count: Int64 = 0
        do {
            for try await buffer in response.body {
                count += Int64(buffer.readableBytes)
                guard count <= file.size else { break }
                buffer.withUnsafeReadableBytes { hasher.update($0) }
                try handle.write(contentsOf: Data(buffer.readableBytesView))
                progress.update(count)
            }
        } catch let error as HTTPClientError {
            throw OperatorError(
                .unreachable, "the connection broke after \(count) bytes of \(path) (\(error.shortDescription))")
        }
        guard count == file.size, hasher.finish() == file.digest else {
            throw OperatorError(.digestMismatch, "\(path): the bytes that came are not those of \(file.digest)")
        }
    }
}
