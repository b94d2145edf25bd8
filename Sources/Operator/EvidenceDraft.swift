internal import Artifacts
internal import AsyncHTTPClient
internal import Foundation
internal import NIOHTTP1
internal import Trust

/// What shall vouch for a version, on its way to the server.
struct EvidenceDraft {
    /// A signature that was made elsewhere.
    struct Signature {
        let file: String
        /// What it is over, as the operator says; nil for what its name tells.
        let what: String?
        let format: SignatureFormat
        let bytes: [UInt8]
    }

    private struct List {
        let title: ArtifactPath
        let bytes: [UInt8]
        let folder: ArtifactPath?
        let isClearSigned: Bool

        var digest: Digest { SHA256.digest(of: bytes) }
    }

    let sshKeys: [String]
    let minisignKeys: [String]
    var signatures: [Signature] = []
    private var lists: [List] = []

    init(sshKeys: [String], minisignKeys: [String]) {
        self.sshKeys = sshKeys
        self.minisignKeys = minisignKeys
    }

    var isEmpty: Bool { sshKeys.isEmpty && minisignKeys.isEmpty && signatures.isEmpty && lists.isEmpty }

    mutating func addList(_ title: ArtifactPath, _ bytes: [UInt8], folder: ArtifactPath?) {
        let isClearSigned = bytes.starts(with: Array("-----BEGIN PGP SIGNED MESSAGE-----".utf8))
        lists.append(List(title: title, bytes: bytes, folder: folder, isClearSigned: isClearSigned))
    }

    /// Signs a manifest with the keys, and publishes everything as evidence about it. The manifest may come later.
    /// `files`: those of the version.
    /// - Throws: `OperatorError`.
    func attach(
        to manifest: [UInt8], mediaType: String, name: ArtifactName, files: [ArtifactPath], _ client: ControlClient
    ) async throws {
        guard !isEmpty else { return }
        var parts = try readParts(files: files)
        for key in sshKeys {
            parts.append(Self.part(try await ManifestSigner.ssh(manifest, key: key), SignatureFormat.ssh.mediaType))
        }
        for key in minisignKeys {
            parts.append(
                Self.part(try await ManifestSigner.minisign(manifest, key: key), SignatureFormat.minisign.mediaType))
        }
        let subject = Descriptor(
            mediaType: mediaType, digest: SHA256.digest(of: manifest), size: Int64(manifest.count))
        try await publish(parts, about: subject, name, client)
    }

    /// One part of the evidence, with its bytes.
    typealias Part = (descriptor: Descriptor, bytes: [UInt8])

    private static func part(_ bytes: [UInt8], _ mediaType: String, _ annotations: [String: String] = [:]) -> Part {
        (
            Descriptor(
                mediaType: mediaType, digest: SHA256.digest(of: bytes), size: Int64(bytes.count),
                annotations: annotations), bytes
        )
    }

    /// What was made elsewhere, as parts. With `skipsUnknown`, signatures over files that are not among these are left out.
    /// - Throws: `OperatorError` when a signature is over nothing that is known.
    func readParts(files: [ArtifactPath], skipsUnknown: Bool = false) throws -> [Part] {
        var parts: [Part] = []
        for list in lists {
            var annotations = [AnnotationKey.title: list.title.description]
            annotations[Evidence.folderKey] = list.folder?.description
            parts.append(
                Self.part(list.bytes, list.isClearSigned ? Evidence.clearSigned : Evidence.checksums, annotations))
        }
        for signature in signatures {
            let target: String
            do {
                target = try self.target(of: signature, files)
            } catch {
                guard skipsUnknown else { throw error }
                continue
            }
            parts.append(
                Self.part(
                    signature.bytes, signature.format.mediaType,
                    [Evidence.signsKey: target, AnnotationKey.title: Self.fileName(signature.file)]))
        }
        return parts
    }

    // The empty descriptor (image specification 1.1): evidence has no configuration.
    private static let nothing = Array("{}".utf8)

    static func manifest(_ parts: [Descriptor], about subject: Descriptor?) -> Manifest {
        let configuration = Descriptor(
            mediaType: "application/vnd.oci.empty.v1+json", digest: SHA256.digest(of: nothing), size: 2)
        var manifest = Manifest(configuration: configuration, layers: parts)
        manifest.artifactType = Evidence.artifactType
        manifest.subject = subject
        return manifest
    }

    private func publish(
        _ parts: [(descriptor: Descriptor, bytes: [UInt8])], about subject: Descriptor, _ name: ArtifactName,
        _ client: ControlClient
    ) async throws {
        let upload = BlobUpload(
            client: client, name: name,
            memory: UploadMemory(
                path: UploadMemory.path(environment: ProcessInfo.processInfo.environment),
                server: client.connection.place.description))
        let manifest = Self.manifest(parts.map(\.descriptor), about: subject)
        let configuration = manifest.config.map { [($0, Self.nothing)] } ?? []
        for (descriptor, bytes) in parts + configuration
        where try await !upload.isThere(descriptor.digest) {
            try await upload.send(bytes, digest: descriptor.digest)
        }
        let bytes = try manifest.canonicalJSON()
        _ = try await client.require(
            [201], .PUT, "/v2/\(name)/manifests/\(SHA256.digest(of: bytes))",
            headers: [("content-type", MediaType.imageManifest)], body: .bytes(bytes))
    }

    /// What a signature is over, as evidence says it: told, or by its name without the ending, or the only thing it could be.
    private func target(of signature: Signature, _ files: [ArtifactPath]) throws -> String {
        func named(_ what: String) -> String? {
            if let list = lists.first(where: { $0.title.description == what || $0.title.fileName == what }) {
                return list.digest.description
            }
            let found = files.filter { $0.description == what || $0.fileName == what }
            return found.count == 1 ? "file:\(found[0])" : nil
        }
        if let what = signature.what {
            if what == "manifest" { return what }
            guard let target = named(what) else {
                throw OperatorError(
                    .file,
                    "--signature \(what)=\(signature.file): '\(what)' is no list and no single file of the version; 'manifest' is the version itself"
                )
            }
            return target
        }
        let name = Self.fileName(signature.file)
        if let dot = name.lastIndex(of: "."), let target = named(String(name[..<dot])) { return target }
        let plain = lists.filter { !$0.isClearSigned }
        switch plain.count {
        case 0 where lists.isEmpty: return "manifest"
        case 1: return plain[0].digest.description
        default:
            throw OperatorError(.file, "say what \(signature.file) signs: --signature WHAT=\(signature.file)")
        }
    }

    private static func fileName(_ file: String) -> String { file.split(separator: "/").last.map(String.init) ?? file }
}
