internal import ArgumentParser
internal import Artifacts

/// `artifactctl show NAME:TAG`.
struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a version and its files.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "The version: NAME:TAG or NAME@sha256:HEX.")
    var reference: String

    func validate() throws {
        do { _ = try Reference(reference) } catch { throw ValidationError("\(error)") }
    }

    /// What is shown, for `--json`.
    struct Document: Codable {
        struct File: Codable {
            var path: String
            var digest: Digest
            var size: Int64
        }

        var reference: String
        var digest: Digest
        var mediaType: String
        /// Bytes of all files.
        var size: Int64
        var files: [File]
    }

    func run() async throws {
        let reference = try Reference(reference)
        let fetched = try await ControlClient.with(try server.connection()) {
            try await FetchedRelease.fetch(reference, $0)
        }
        let document = Document(
            reference: reference.description, digest: fetched.digest, mediaType: fetched.mediaType,
            size: fetched.release.files.totalSize,
            files: fetched.release.files.map {
                Document.File(path: $0.path.description, digest: $0.file.digest, size: $0.file.size)
            })
        print(json ? try OutputFormat.json(document) : Self.text(document))
    }

    static func text(_ document: Document) -> String {
        """
        \(document.reference)
        digest  \(document.digest)
        type    \(document.mediaType)
        size    \(ByteCount(document.size)) in \(document.files.count) files

        """
            + OutputFormat.table(
                ["FILE", "SIZE", "DIGEST"],
                document.files.map { [$0.path, "\(ByteCount($0.size))", $0.digest.description] })
    }
}
