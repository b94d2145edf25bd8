internal import ArgumentParser
internal import Artifacts
internal import ControlAPI
internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// `artifactctl push-many LIST`.
struct PushManyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push-many", abstract: "Publish many small artifacts at once.",
        discussion: """
            LIST has one JSON object in each line: the version, and its files by path. Two hundred of them take a \
            few requests and syncs of the disk, where 'push' takes some for each. Versions that are published with the same files \
            are left as they are; each two hundred are published whole or not at all.

              {"reference": "answers/hv01:7", "files": {"preseed.cfg": "build/hv01.cfg"}}
            """)

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print the result as JSON, and no progress.")
    var json = false

    @Argument(help: "The list; - is standard input.", completion: .file())
    var list: String

    /// One line of the list.
    struct Entry: Decodable {
        var reference: String
        var files: [String: String]
    }

    func run() async throws {
        let entries = try Self.read(list)
        let published = try await ControlClient.with(try server.connection()) { client in
            _ = try await client.require([200], .GET, "/v2/")
            let progress = ProgressReport(style: ProgressReport.style(json: json))
            return try await ManyPush(client: client, progress: progress).run(entries)
        }
        if json {
            print(try OutputFormat.json(published))
        } else {
            print("\(published.count) versions are published")
        }
    }

    private static func read(_ list: String) throws -> [ManyPush.Artifact] {
        let handle = list == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: list)
        guard let data = try handle?.readToEnd() ?? (handle == nil ? nil : Data()) else {
            throw OperatorError(.file, "\(list) cannot be read")
        }
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        return try lines.compactMap { number, line in
            guard !line.isEmpty else { return nil }
            do {
                return try ManyPush.Artifact(try JSONDecoder().decode(Entry.self, from: line))
            } catch is DecodingError {
                throw OperatorError(
                    .file,
                    #"line \#(number + 1) of \#(list): {"reference": "NAME:TAG", "files": {"PATH": "FILE"}} is expected"#
                )
            } catch let error as ArtifactError {
                throw OperatorError(.file, "line \(number + 1) of \(list): \(error.message)")
            }
        }
    }
}
