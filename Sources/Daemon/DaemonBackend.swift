internal import Archives
internal import Artifacts
internal import Boot
internal import BootPlane
internal import Glibc
internal import Hosts
internal import Site
internal import Store

/// Joins the boot plane to store, site and ledger.
struct DaemonBackend: BootBackend {
    let store: ArtifactStore
    let ledger: HostLedger
    let logs: HostLogs
    let site: SiteHolder
    let httpPort: Int
    let loadersPath: String
    let archives: ArchiveViewDirectory
    let signer: BootSigner
    let tokens: SteadyTokens
    /// Characters of a syslog line on a timeline; the log has all of them.
    private static let longestLine = 400
    let executor = BlockingTaskExecutor()

    var snapshot: BootSnapshot {
        BootSnapshot(
            decider: BootDecider(
                site: site.current, releases: store.releases, installations: ledger, archives: archives),
            httpPort: httpPort,
            modes: [:])
    }

    var decisionBasis: DecisionBasis {
        DecisionBasis(
            site: site.revision, releases: store.releasesGeneration, installations: ledger.markGeneration)
    }

    func blobPath(_ digest: Digest) -> String { store.blobPath(digest) }

    func loaderPath(_ name: String) -> String? {
        // The name is one component of a decoded path: it cannot lead out of the directory.
        guard !name.hasPrefix("."), !name.utf8.contains(UInt8(ascii: "/")) else { return nil }
        return "\(loadersPath)/\(name)"
    }

    func overlay(_ files: [OverlayFile]) -> [UInt8]? {
        try? InitrdOverlay.build(files.map { InitrdOverlay.File(path: $0.path, mode: $0.mode, bytes: $0.bytes) })
    }

    func signature(_ form: SignatureForm, of content: FileContent) -> Preparation<[UInt8]> {
        signer.signature(form, of: content)
    }

    func signature(_ form: SignatureForm, over bytes: [UInt8]) -> Preparation<[UInt8]> {
        signer.signature(form, over: bytes)
    }

    func grubImage(_ platform: GRUBPlatform) -> Preparation<[UInt8]> { signer.grubImage(platform) }

    func kernelImage(_ parts: KernelImageParts) -> Preparation<String> { signer.kernelImage(parts) }

    func tftpBlockSize(at address: IPv4Address) -> Int? {
        ledger.host(at: address).flatMap { site.current.host($0) }?.tftpBlockSize
    }

    func issueToken(host: String) -> String? { ledger.issueToken(host: host) }

    func steadyToken(host: String, plan: BootPlan) -> String? { tokens.token(host: host, plan: plan) }

    func host(forToken token: String) -> String? { try? ledger.host(forToken: token) }

    func reportUp(token: String, address: IPv4Address?) -> Bool {
        (try? ledger.reportUp(token: token, address: address)) != nil
    }

    func reportInstalled(token: String, address: IPv4Address?) async throws -> Bool {
        do {
            // It waits for the disk.
            try await withTaskExecutorPreference(executor) {
                _ = try ledger.reportInstalled(token: token, address: address)
            }
            return true
        } catch let error as HostsError where error.code == .invalidToken {
            return false
        }
    }

    func note(_ event: BootEvent, from address: IPv4Address, bytes: Int64) {
        switch event {
        case .stage1:
            ledger.note(address: address, kind: .loader, detail: "iPXE runs and asks for its script", bytes: bytes)
        case .script(let request, let decision):
            ledger.noteScript(request, decision: decision, detail: decision.summary)
        case .file(let reference): ledger.noteFile(address: address, reference: reference, bytes: bytes)
        case .loader(let name): ledger.note(address: address, kind: .loader, detail: name, bytes: bytes)
        case .overlay(let host):
            ledger.note(address: address, kind: .answer, detail: "\(host), overlay", bytes: bytes)
        case .answer(let host): ledger.note(address: address, kind: .answer, detail: host, bytes: bytes)
        case .log(let message):
            ledger.note(address: address, kind: .log, detail: message.summary(limit: Self.longestLine))
            logs.append(
                "\(message.severityName ?? "-") \(message.text)",
                to: ledger.host(at: address) ?? ledger.mac(at: address).map { $0.description.replacing(":", with: "-") }
                    ?? address.description)
        case .failure(let text): ledger.note(address: address, kind: .failure, detail: text, bytes: bytes)
        }
    }
}
