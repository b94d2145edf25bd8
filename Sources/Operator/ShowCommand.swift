internal import ArgumentParser
internal import Artifacts
internal import ControlAPI
internal import Foundation
internal import Trust

/// `artifactctl show NAME:TAG`.
struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a version and its files.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print the manifest's bytes, as they are signed, and nothing else.")
    var manifest = false

    @Argument(help: "The version: NAME:TAG or NAME@sha256:HEX.")
    var reference: String

    func validate() throws {
        if json, manifest { throw ValidationError("--json and --manifest exclude each other") }
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
        /// Whether machines are given it; missing while that is still to be verified.
        var verdict: Verdict?
        /// Files that may be archives, and whether they are shown as folders.
        var archives: [ArchiveReport]
        var files: [File]
    }

    func run() async throws {
        let reference = try Reference(reference)
        let (fetched, report, archives) = try await ControlClient.with(try server.connection()) { client in
            let fetched = try await FetchedRelease.fetch(reference, client)
            let report =
                manifest
                ? nil
                : try await client.document(
                    VerdictReport.self, "\(ControlPath.verdicts)/\(reference.name)@\(fetched.digest)")
            let archives =
                manifest
                ? []
                : try await client.document(
                    [ArchiveReport].self, "\(ControlPath.archives)/\(reference.name)@\(fetched.digest)")
            return (fetched, report, archives)
        }
        if manifest { return FileHandle.standardOutput.write(Data(fetched.bytes)) }
        guard json else { return Self.printText(reference, fetched, report, archives) }
        let document = Document(
            reference: reference.description, digest: fetched.digest, mediaType: fetched.mediaType,
            size: fetched.release.files.totalSize, verdict: report?.verdict, archives: archives,
            files: fetched.release.files.map {
                Document.File(path: $0.path.description, digest: $0.file.digest, size: $0.file.size)
            })
        print(try OutputFormat.json(document))
    }

    private static func line(_ archive: ArchiveReport) -> String {
        "\nfolder  \(archive.path)/..." + (archive.refusal.map { ": not shown: \($0)" } ?? "")
    }

    /// Piece by piece: a package mirror has hundreds of thousands of files.
    private static func printText(
        _ reference: Reference, _ fetched: FetchedRelease, _ report: VerdictReport?, _ archives: [ArchiveReport]
    ) {
        let files = fetched.release.files
        print(
            """
            \(reference)
            digest  \(fetched.digest)
            type    \(fetched.mediaType)
            size    \(ByteCount(files.totalSize)) in \(files.count) files
            trust   \(report.map(VerdictText.line) ?? "")\(archives.map(Self.line).joined())

            """)
        var widths = OutputFormat.Widths()
        var header: [String]? = ["FILE", "SIZE", "DIGEST"]
        for page in files.pages {
            print(
                OutputFormat.table(
                    header, &widths,
                    page.map { [$0.path.description, "\(ByteCount($0.file.size))", $0.file.digest.description] }))
            header = nil
        }
        if files.isEmpty { print(OutputFormat.table(["FILE", "SIZE", "DIGEST"], [])) }
    }
}
