internal import Artifacts
internal import Boot
internal import NIOCore
package import Site
internal import TFTP

/// The one namespace of the boot plane: HTTP and TFTP both answer from it, so what one serves, the other serves too,
/// and one decision gates both.
package struct BootNamespace: Sendable {
    /// Answer files larger than this are served as they are, without filling variables in.
    static let maximumTemplateSize: Int64 = 1 << 20

    package let backend: any BootBackend
    package let pacer: BootPacer
    private let scripts = ScriptCache()

    package init(backend: any BootBackend, pacer: BootPacer = BootPacer()) {
        self.backend = backend
        self.pacer = pacer
    }

    /// Every path there is.
    /// - Parameters:
    ///   - components: of the path, decoded.
    ///   - query: the fields after `?`.
    ///   - address: the client's, where it is IPv4.
    /// - Returns: what the path stands for now; a script is made for this request.
    /// - Throws: `BootRefusal`.
    package func resource(
        _ components: [String], query: [String: String] = [:], address: IPv4Address?
    ) throws(BootRefusal) -> BootResource {
        let snapshot = backend.snapshot
        switch (components.first, components.count) {
        case ("boot.ipxe", 1), ("autoexec.ipxe", 1): return try stage1(snapshot, address)
        // iPXE looks for autoexec.ipxe where it was loaded from.
        case (BootPath.loaders, 2) where components[1] == "autoexec.ipxe": return try stage1(snapshot, address)
        case (BootPath.loaders, 2): return try loader(components[1])
        case ("ipxe", 2) where components[1] == "script":
            return try script(snapshot, query, address)
        case ("blobs", 3) where components[1] == "sha256": return try blob(snapshot, components[2])
        case ("hosts", 3) where components[2] == "answer": return try answer(snapshot, token: components[1], address)
        case ("hosts", 3) where components[2] == IPXERenderer.overlayName:
            return try overlay(snapshot, token: components[1], address)
        case ("hosts", 3) where components[2] == IPXERenderer.overlayName + IPXERenderer.signatureEnding:
            return try overlaySignature(snapshot, .cms, token: components[1], address)
        case ("hosts", 3) where components[2] == IPXERenderer.overlayName + BootPath.grubSignatureEnding:
            return try overlaySignature(snapshot, .openPGP, token: components[1], address)
        case (IPXERenderer.signaturesName, 3...):
            return try signature(snapshot, .cms, components.dropFirst().joined(separator: "/"))
        case (BootPath.grub, 2): return try grubConfiguration(snapshot, components[1], query, address)
        case (BootPath.grub, 4...) where components[1] == BootPath.grubFiles:
            return try grubFile(snapshot, components.dropFirst(2).joined(separator: "/"))
        case (BootPath.kernelImages, 2): return try kernelImage(snapshot, components[1], query, address)
        case (_, 2...): return try file(snapshot, components.joined(separator: "/"))
        default: throw .notFound("there is nothing at this path")
        }
    }

    private func stage1(_ snapshot: BootSnapshot, _ address: IPv4Address?) throws(BootRefusal) -> BootResource {
        guard let names = snapshot.names(for: address) else {
            throw .notFound("this address is on no substrate of the site file")
        }
        return Self.script(IPXERenderer(names: names).stage1Script(), event: .stage1)
    }

    /// A script that was decided on before, on the same basis; nil where it has to be decided.
    /// - Parameters:
    ///   - request: all of it, as it was sent.
    ///   - address: the client's.
    /// - Returns: the answer, to be noted as any other, and its bytes.
    func knownAnswer(_ request: ByteBuffer, at address: IPv4Address?) -> (answer: KnownAnswer, bytes: [UInt8])? {
        guard request.readableBytesView.starts(with: Self.scriptRequest.utf8) else { return nil }
        let key = ScriptCache.Key(request: request, address: address)
        guard let answer = scripts.answer(key, on: backend.decisionBasis) else { return nil }
        // Its turn may be over, or not have come.
        guard pacer.admits(answer.load, at: address) else { return nil }
        return answer.bytes { backend.issueToken(host: answer.host) }.map { (answer, $0) }
    }

    /// The same with nothing left to be done but to send it.
    func answer(toKnown request: ByteBuffer, at client: ClientAddress) -> ConnectionFront.Answer? {
        let address = IPv4Address(client: client)
        guard let known = knownAnswer(request, at: address) else { return nil }
        noteSent(known.answer.event, to: address, bytes: known.bytes.count)
        return ConnectionFront.Answer(bytes: known.bytes, keepsAlive: known.answer.keepsAlive)
    }

    /// Notes that something was given to a client; before the client can ask for what comes next.
    func noteSent(_ event: BootEvent?, to address: IPv4Address?, bytes: Int) {
        guard let event, let address else { return }
        pacer.sent(event, to: address, bytes: Int64(bytes))
        backend.note(event, from: address, bytes: Int64(bytes))
    }

    /// Keeps the answer to a request, to be given again.
    /// - Parameters:
    ///   - script: what it was made from.
    ///   - event: to be noted when it was given.
    ///   - head: of the answer, without its length.
    ///   - keepsAlive: whether the connection goes on after it.
    ///   - request: all of it, as it was sent.
    ///   - address: the client's.
    func remember(
        _ script: DecidedScript, event: BootEvent, head: [UInt8], keepsAlive: Bool, request: ByteBuffer,
        at address: IPv4Address?
    ) {
        let answer = KnownAnswer(script: script, event: event, head: head, keepsAlive: keepsAlive)
        scripts.store(answer, ScriptCache.Key(request: request, address: address), on: script.basis)
    }

    private static let scriptRequest = "GET /" + BootPath.script
    private static let scriptType = "text/plain; charset=utf-8"

    private func script(
        _ snapshot: BootSnapshot, _ query: [String: String], _ address: IPv4Address?
    ) throws(BootRefusal) -> BootResource {
        let basis = backend.decisionBasis
        let request = BootRequest(fields: query, address: address)
        if Self.isPreflight(query) {
            switch try rendered(snapshot.decider.decide(request), request, snapshot, token: BootPath.preflight) {
            case .success(let text): return Self.script(text, event: nil)
            case .failure(let error): return Self.script(error.refusal, event: nil)
            }
        }
        let decided = snapshot.decider.decide(request)
        let load = BootPacer.Load(decided, in: snapshot.site)
        let decision = pacer.paced(decided, load, at: address)
        switch try rendered(decision, request, snapshot, token: ScriptPieces.place) {
        case .success(let text):
            let pieces = ScriptPieces(text)
            guard let bytes = pieces.bytes(token: { decision.host.flatMap(backend.issueToken) }) else { throw .damaged }
            var script: DecidedScript?
            if case .boot = decision.outcome, let host = decision.host {
                script = DecidedScript(host: host, load: load, basis: basis, pieces: pieces)
            }
            return BootResource(
                .bytes(bytes), mediaType: Self.scriptType, event: .script(request, decision), script: script)
        case .failure(let error):
            return Self.script(error.refusal, event: .script(request, decision.refused(error.reason)))
        }
    }

    /// Somebody looks at what a machine would get: it gets nothing by that, nor loses its turn, nor is it noted.
    static func isPreflight(_ query: [String: String]) -> Bool { query[BootPath.preflight] != nil }

    /// A script that cannot be written, and what the machine is told instead.
    private struct Unwritable: Error {
        let reason: String
        let refusal: String
    }

    private func rendered(
        _ decision: BootDecision, _ request: BootRequest, _ snapshot: BootSnapshot, token: String
    ) throws(BootRefusal) -> Result<String, Unwritable> {
        let names = decision.substrate.flatMap { snapshot.names(of: $0) } ?? snapshot.names(for: request.address)
        guard let names else { throw .notFound("this address is on no substrate of the site file") }
        let renderer = IPXERenderer(names: names)
        var expansion: ProfileExpansion?
        if case .boot(let plan) = decision.outcome, let host = snapshot.site.host(plan.host) {
            expansion = ProfileExpansion(names: names, host: host, mac: request.mac, token: token)
        }
        do throws(BootError) {
            return .success(try renderer.script(decision, expansion: expansion))
        } catch {
            return .failure(Unwritable(reason: error.message, refusal: renderer.refusal(error.message)))
        }
    }

    private static func script(_ text: String, event: BootEvent?) -> BootResource {
        BootResource(.bytes(Array(text.utf8)), mediaType: scriptType, event: event)
    }

    private func loader(_ name: String) throws(BootRefusal) -> BootResource {
        if let platform = GRUBPlatform(loaderName: name) {
            let image = try Self.prepared(backend.grubImage(platform))
            return BootResource(.bytes(image), mediaType: "application/octet-stream", event: .loader(name))
        }
        guard let path = backend.loaderPath(name), let file = OpenFile(path: path) else {
            throw .notFound("there is no loader '\(name)'")
        }
        return BootResource(
            .file(file, offset: 0, size: file.size), mediaType: "application/octet-stream", event: .loader(name))
    }

    private func blob(_ snapshot: BootSnapshot, _ hex: String) throws(BootRefusal) -> BootResource {
        guard let digest = try? Digest(hex: hex), let size = snapshot.decider.releases.blobSize(digest) else {
            throw .notFound("there is no such blob")
        }
        let file = ReleaseFile(digest: digest, size: size)
        return try self.file(FileContent(file: file, container: digest, offset: 0), isImmutable: true, event: nil)
    }

    func file(_ snapshot: BootSnapshot, _ path: String) throws(BootRefusal) -> BootResource {
        let reference: FileReference
        do {
            reference = try FileReference(path)
        } catch {
            throw error.code == .invalidReference
                ? .notFound("there is nothing at this path") : .badRequest(error.message)
        }
        let (releases, archives) = (snapshot.decider.releases, snapshot.decider.archives)
        guard let content = releases.content(reference, in: archives) else {
            if let withholding = releases.withholding(of: reference.artifact) {
                throw .forbidden("\(reference.artifact) is withheld: \(withholding.reason)")
            }
            if let archive = releases.archive(of: reference), let refusal = archives.refusal(of: archive.digest) {
                throw .notFound("there is no file \(reference): the archive is not shown as a folder: \(refusal)")
            }
            throw .notFound("there is no file \(reference)")
        }
        let isImmutable = if case .digest = reference.artifact.version { true } else { false }
        return try self.file(content, isImmutable: isImmutable, event: .file(reference))
    }

    /// Opens a blob. A file that is not as long as published is never served: nothing may boot half of something.
    func file(_ content: FileContent, isImmutable: Bool, event: BootEvent?) throws(BootRefusal) -> BootResource {
        guard let open = OpenFile(path: backend.blobPath(content.container)) else { throw .damaged }
        let (file, end) = (content.file, content.offset + content.file.size)
        guard content.container == file.digest ? open.size == file.size : open.size >= end else { throw .damaged }
        return BootResource(
            .file(open, offset: content.offset, size: file.size), mediaType: "application/octet-stream",
            digest: file.digest, isImmutable: isImmutable, event: event)
    }

    /// Who a per-boot URL belongs to, what they are assigned, and the values of its variables.
    func boot(
        _ snapshot: BootSnapshot, token: String, _ address: IPv4Address?
    ) throws(BootRefusal) -> (profile: Profile, expansion: ProfileExpansion) {
        guard let name = backend.host(forToken: token), let host = snapshot.site.host(name) else {
            throw .forbidden("this per-boot URL is not valid, or no longer")
        }
        guard let profile = snapshot.site.assignment(ofHost: name)?.profile.flatMap({ snapshot.site.profile($0) }),
            let names = snapshot.names(for: address)
                ?? host.interfaces.lazy.compactMap(\.segment).compactMap({ snapshot.names(of: $0.substrate) }).first
        else { throw .notFound("nothing is assigned to this host") }
        let mac = host.primaryInterface?.mac
        return (profile, ProfileExpansion(names: names, host: host, mac: mac, token: token))
    }

    private func answer(
        _ snapshot: BootSnapshot, token: String, _ address: IPv4Address?
    ) throws(BootRefusal) -> BootResource {
        let (profile, expansion) = try boot(snapshot, token: token, address)
        guard let reference = profile.answer,
            let content = snapshot.decider.releases.content(reference, in: snapshot.decider.archives)
        else { throw .notFound("there is no answer file for this host") }
        let event = BootEvent.answer(host: expansion.host.name)
        let resource = try self.file(content, isImmutable: false, event: event)
        guard content.file.size <= Self.maximumTemplateSize, let bytes = resource.smallBytes else { return resource }
        guard let text = String(validating: bytes, as: UTF8.self) else { return resource }
        let filled = expansion.expand(VariableTemplate(text))
        return BootResource(.bytes(Array(filled.utf8)), mediaType: "text/plain; charset=utf-8", event: event)
    }
}
