internal import ArgumentParser
internal import Artifacts
internal import Foundation
internal import Trust

/// Signatures to make, and those that others made.
struct EvidenceOptions: ParsableArguments {
    @Option(
        name: .customLong("ssh-key"),
        help: ArgumentHelp(
            "Sign with this SSH key: the private key's file, or the .pub of one that ssh-agent holds.",
            valueName: "file"),
        completion: .file())
    var sshKeys: [String] = []

    @Option(
        name: .customLong("minisign-key"), help: ArgumentHelp("Sign with this minisign secret key.", valueName: "file"),
        completion: .file())
    var minisignKeys: [String] = []

    @Option(
        name: .customLong("signature"),
        help: ArgumentHelp(
            "A signature that was made elsewhere: FILE, or WHAT=FILE where WHAT is 'manifest', a file of the version or a list given with --checksums.",
            valueName: "[what=]file"), completion: .file())
    var signatures: [String] = []

    @Option(
        name: .customLong("checksums"),
        help: ArgumentHelp(
            "A signed list of checksums, such as SHA256SUMS or InRelease, or a list that such a list lists, as NAME=FILE with its name there.",
            valueName: "[name=]file"), completion: .file())
    var checksums: [String] = []

    @Option(help: ArgumentHelp("The folder of the lists that the version's files are from.", valueName: "path"))
    var folder: String?

    func validate() throws {
        if let folder {
            do { _ = try ArtifactPath(folder) } catch { throw ValidationError("--folder: \(error)") }
            guard !checksums.isEmpty else {
                throw ValidationError("--folder says where in a list the files are: add --checksums")
            }
        }
        for argument in checksums {
            do { _ = try ArtifactPath(Self.split(argument).name) } catch {
                throw ValidationError("--checksums: \(error)")
            }
        }
    }

    var isEmpty: Bool { sshKeys.isEmpty && minisignKeys.isEmpty && signatures.isEmpty && checksums.isEmpty }

    /// `NAME=FILE`, or a file under its own name.
    private static func split(_ argument: String) -> (name: String, file: String) {
        let (path, file) = PushCommand.split(argument)
        return (path, file)
    }

    /// Reads what was made elsewhere: before anything is sent.
    /// - Throws: `OperatorError`.
    func read() throws -> EvidenceDraft {
        var draft = EvidenceDraft(sshKeys: sshKeys, minisignKeys: minisignKeys)
        for argument in checksums {
            let (name, file) = Self.split(argument)
            let bytes = try Self.bytes(of: file, limit: ChecksumList.maximumSize)
            draft.addList(try ArtifactPath(name), bytes, folder: try folder.map { try ArtifactPath($0) })
        }
        for argument in signatures {
            var (what, file): (String?, String) = (nil, argument)
            // A file that is there is meant itself, whatever its name.
            if !FileManager.default.fileExists(atPath: argument), let mark = argument.firstIndex(of: "=") {
                what = String(argument[..<mark])
                file = String(argument[argument.index(after: mark)...])
            }
            let bytes = try Self.bytes(of: file, limit: Int(Evidence.maximumSignatureSize))
            guard let format = SignatureFormat(sniffing: bytes) else {
                throw OperatorError(
                    .file, "\(file) is no signature of minisign, ssh-keygen, cosign, openssl cms or gpg")
            }
            draft.signatures.append(EvidenceDraft.Signature(file: file, what: what, format: format, bytes: bytes))
        }
        return draft
    }

    private static func bytes(of file: String, limit: Int) throws -> [UInt8] {
        do {
            return try SignedContent.file(path: file).all(limit: limit)
        } catch {
            throw OperatorError(.file, error.message)
        }
    }
}
