internal import ArgumentParser
internal import Artifacts
internal import ControlAPI
internal import Foundation

/// `artifactctl push NAME:TAG FILE...` and `artifactctl push NAME:TAG DIRECTORY`.
struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Publish files, or a whole folder, as a version of an artifact.",
        discussion: """
            A file is published under its own name; PATH=FILE gives it another. A folder is published alone, with all that is \
            in it, such as an install tree or a package mirror: links inside it are followed, links out of it refused. What \
            the server has is not sent again. A version is immutable: pushing the same files again is fine, other files are refused. When anything breaks, on \
            either side, run the same command again: it goes on in the middle of the file where it stood.

              artifactctl push debian-installer:12 linux initrd.gz
              artifactctl push debian-installer:12 boot/linux=./vmlinuz-6.1
              artifactctl push debian-mirror:2026-11-26 /srv/mirror/debian
              artifactctl push debian-installer:12 linux initrd.gz --ssh-key ~/.ssh/id_ed25519
            """)

    @OptionGroup var server: ServerOptions

    @OptionGroup(title: "Signatures") var evidence: EvidenceOptions

    @Flag(help: "Print the result as JSON, and no progress.")
    var json = false

    @Flag(help: "Tell what would be sent, and send nothing.")
    var dryRun = false

    @Option(help: "How many files, or groups of files of a folder, are sent at once, 1 to 16.")
    var parallel = 2

    @Argument(help: "The version, NAME:TAG.")
    var reference: String

    @Argument(help: "The files, each FILE or PATH=FILE; or one folder.", completion: .file())
    var files: [String]

    mutating func validate() throws {
        guard (1...16).contains(parallel) else { throw ValidationError("--parallel \(parallel): 1 to 16 are possible") }
        guard let parsed = try? Reference(reference), case .tag = parsed.version else {
            do { _ = try Reference(reference) } catch { throw ValidationError("\(error)") }
            throw ValidationError("'\(reference)' is a digest: publish under a tag, NAME:TAG")
        }
        // A folder is no file, whatever its name.
        if files.count == 1, Self.isDirectory(files[0]) { return }
        var seen: Set<String> = []
        for file in files {
            let (path, _) = Self.split(file)
            do { _ = try ArtifactPath(path) } catch { throw ValidationError("\(error)") }
            guard seen.insert(path).inserted else {
                throw ValidationError("two files would be named '\(path)': give one another name with PATH=FILE")
            }
        }
    }

    /// `PATH=FILE`, or a file under its own name.
    static func split(_ argument: String) -> (path: String, file: String) {
        if let mark = argument.firstIndex(of: "="), mark != argument.startIndex {
            return (String(argument[..<mark]), String(argument[argument.index(after: mark)...]))
        }
        return (argument.split(separator: "/").last.map(String.init) ?? argument, argument)
    }

    func run() async throws {
        let reference = try Reference(reference)
        let evidence = try evidence.read()
        if let directory = try directory() { return try await push(directory, as: reference, evidence) }
        let files = try self.files.map { argument in
            let (path, file) = Self.split(argument)
            return try LocalFile(file, path: ArtifactPath(path))
        }
        let connection = try server.connection()
        let result = try await ControlClient.with(connection) { client in
            let push = Push(
                client: client, reference: reference, progress: ProgressReport(style: ProgressReport.style(json: json)),
                parallel: parallel, isDryRun: dryRun, evidence: evidence)
            return try await push.run(files)
        }
        if json {
            print(try OutputFormat.json(result))
        } else if dryRun {
            let missing = result.files.filter(\.sent)
            let bytes = missing.reduce(0) { $0 + $1.size }
            print("\(reference) would be \(result.digest): \(missing.count) files, \(ByteCount(bytes)) to send")
        } else {
            print("\(reference) \(result.digest)")
        }
    }

    private static func isDirectory(_ place: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: place, isDirectory: &isDirectory) && isDirectory.boolValue
    }

    /// The folder to push; nil when there are files.
    private func directory() throws -> String? {
        if files.count == 1, Self.isDirectory(files[0]) { return files[0] }
        if let folder = files.map({ Self.split($0).file }).first(where: Self.isDirectory) {
            throw OperatorError(.file, "\(folder) is a folder: push it alone, under a tag of its own")
        }
        return nil
    }

    private func push(_ directory: String, as reference: Reference, _ evidence: EvidenceDraft) async throws {
        let tree = try LocalTree(directory)
        let result = try await ControlClient.with(try server.connection()) { client in
            try await TreePush(
                client: client, reference: reference, progress: ProgressReport(style: ProgressReport.style(json: json)),
                parallel: parallel, isDryRun: dryRun, evidence: evidence
            ).run(tree)
        }
        if json {
            print(try OutputFormat.json(result))
        } else if dryRun {
            print(
                "\(reference) would be \(result.digest): \(result.sentCount) of \(result.fileCount) files, \(ByteCount(result.sentSize)) to send"
            )
        } else {
            print("\(reference) \(result.digest)")
            print("\(result.sentCount) of \(result.fileCount) files sent, \(ByteCount(result.sentSize))")
        }
    }
}

/// What a push did, for `--json`.
struct PushResult: Codable {
    struct File: Codable {
        var path: String
        var digest: Digest
        var size: Int64
        /// False when the server had it; in a dry run, whether it would be sent.
        var sent: Bool
    }

    var reference: String
    /// Of the manifest.
    var digest: Digest
    var isDryRun: Bool
    var files: [File]
}
