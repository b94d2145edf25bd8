internal import Artifacts
internal import Boot
internal import Site
internal import TFTP

/// What machines verify, and what they verify it with.
extension BootNamespace {
    private static let signatureType = [
        SignatureForm.cms: "application/pkcs7-signature", .openPGP: "application/pgp-signature",
    ]

    static func prepared<Value>(_ preparation: Preparation<Value>) throws(BootRefusal) -> Value {
        switch preparation {
        case .ready(let value): return value
        case .preparing: throw .preparing
        case .failed: throw .damaged
        }
    }

    private static func resource(_ form: SignatureForm, _ bytes: [UInt8]) -> BootResource {
        BootResource(.bytes(bytes), mediaType: signatureType[form] ?? "application/octet-stream")
    }

    /// A signature over a file.
    func signature(
        _ snapshot: BootSnapshot, _ form: SignatureForm, _ path: String
    ) throws(BootRefusal) -> BootResource {
        guard let reference = try? FileReference(path),
            let content = snapshot.decider.releases.content(reference, in: snapshot.decider.archives)
        else { throw .notFound("there is no such file to sign") }
        return Self.resource(form, try Self.prepared(backend.signature(form, of: content)))
    }

    /// A signature over the overlay of one boot.
    func overlaySignature(
        _ snapshot: BootSnapshot, _ form: SignatureForm, token: String, _ address: IPv4Address?
    ) throws(BootRefusal) -> BootResource {
        guard case .bytes(let bytes) = try overlay(snapshot, token: token, address).body else { throw .damaged }
        return Self.resource(form, try Self.prepared(backend.signature(form, over: bytes)))
    }

    /// A file for GRUB, or the signature that GRUB asks for beside it: what ends in `.sig` is always one of ours.
    func grubFile(_ snapshot: BootSnapshot, _ path: String) throws(BootRefusal) -> BootResource {
        guard path.hasSuffix(BootPath.grubSignatureEnding) else { return try file(snapshot, path) }
        return try signature(snapshot, .openPGP, String(path.dropLast(BootPath.grubSignatureEnding.count)))
    }

    /// A machine's configuration for GRUB, or the signature over it. Both are made for the same boot.
    func grubConfiguration(
        _ snapshot: BootSnapshot, _ name: String, _ query: [String: String], _ address: IPv4Address?
    ) throws(BootRefusal) -> BootResource {
        let isSignature = name.hasSuffix(BootPath.grubSignatureEnding)
        let file = isSignature ? String(name.dropLast(BootPath.grubSignatureEnding.count)) : name
        guard let mac = Self.mac(file, ending: ".cfg") else { throw .notFound("there is no such configuration") }
        let request = BootRequest(mac: mac, address: address)
        let isPreflight = Self.isPreflight(query)
        var decision = snapshot.decider.decide(request)
        if !isPreflight {
            decision = pacer.paced(decision, BootPacer.Load(decision, in: snapshot.site), at: address)
        }
        let renderer = GRUBRenderer(port: snapshot.httpPort)
        var text: String
        do {
            text = try renderer.configuration(
                decision,
                expansion: try expansion(
                    decision, mac, snapshot, address, token: isPreflight ? placeholder : steadyToken))
        } catch let error as BootError {
            decision = decision.refused(error.message)
            text = renderer.refusal(error.message)
        } catch {
            throw error as? BootRefusal ?? .damaged
        }
        let bytes = Array(text.utf8)
        guard !isSignature else {
            return Self.resource(.openPGP, try Self.prepared(backend.signature(.openPGP, over: bytes)))
        }
        return BootResource(
            .bytes(bytes), mediaType: "text/plain; charset=utf-8",
            event: isPreflight ? nil : .script(request, decision))
    }

    /// A machine's unified kernel image. Whatever is not a boot is no file: firmware goes on with its next boot entry.
    func kernelImage(
        _ snapshot: BootSnapshot, _ name: String, _ query: [String: String], _ address: IPv4Address?
    ) throws(BootRefusal) -> BootResource {
        guard let mac = Self.mac(name, ending: ".efi") else { throw .notFound("there is no such image") }
        let request = BootRequest(mac: mac, platform: "efi", address: address)
        let isPreflight = Self.isPreflight(query)
        let decision = snapshot.decider.decide(request)
        guard case .boot(let plan) = decision.outcome, plan.verifier == .firmware,
            let expansion = try expansion(
                decision, mac, snapshot, address, token: isPreflight ? placeholder : steadyToken)
        else {
            throw .notFound(decision.outcome == .refuse ? "this machine contradicts the site file" : decision.reason)
        }
        let (releases, archives) = (snapshot.decider.releases, snapshot.decider.archives)
        let initrds = plan.initrds.compactMap { releases.content($0.reference, in: archives) }
        guard let kernel = releases.content(plan.kernel.reference, in: archives), initrds.count == plan.initrds.count,
            let profile = snapshot.site.profile(plan.profile)
        else { throw .notFound("a file of profile \(plan.profile) is gone") }
        let overlay = profile.overlay.isEmpty ? nil : try overlay(snapshot, profile, expansion)
        let arguments = plan.arguments.map(expansion.expand)
        // Systemd's stub takes bytes for characters; a space in a word would make it two.
        guard arguments.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (33...126).contains($0) } }) else {
            throw .notFound("an argument of profile \(plan.profile) is not one word of ASCII")
        }
        let parts = KernelImageParts(
            kernel: kernel, initrds: initrds, overlay: overlay, arguments: arguments.joined(separator: " "))
        guard let file = OpenFile(path: try Self.prepared(backend.kernelImage(parts))) else { throw .preparing }
        if !isPreflight { pacer.takesPlace(decision, at: address, bytes: file.size, in: snapshot.site) }
        return BootResource(
            .file(file, offset: 0, size: file.size), mediaType: "application/efi",
            event: isPreflight ? nil : .script(request, decision))
    }

    private static func mac(_ name: String, ending: String) -> MACAddress? {
        name.hasSuffix(ending) ? MACAddress(String(name.dropLast(ending.count))) : nil
    }

    private func steadyToken(_ plan: BootPlan) -> String? { backend.steadyToken(host: plan.host, plan: plan) }
    /// In a token's place for who only looks.
    private func placeholder(_: BootPlan) -> String? { BootPath.preflight }

    /// nil where nothing is booted.
    private func expansion(
        _ decision: BootDecision, _ mac: MACAddress, _ snapshot: BootSnapshot, _ address: IPv4Address?,
        token: (BootPlan) -> String?
    ) throws(BootRefusal) -> ProfileExpansion? {
        guard case .boot(let plan) = decision.outcome, let host = snapshot.site.host(plan.host) else { return nil }
        guard let names = decision.substrate.flatMap({ snapshot.names(of: $0) }) ?? snapshot.names(for: address) else {
            throw .notFound("this address is on no substrate of the site file")
        }
        guard let token = token(plan) else { throw .damaged }
        return ProfileExpansion(names: names, host: host, mac: mac, token: token)
    }
}
