import Artifacts
import Boot
import BootPlane
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Preflight
import Site

/// What comes over a connection, and what other servers of the network say.
extension FuzzTargets {
    /// However the bytes of a connection are cut, they are answered the same; and whatever they are, what is sent are answers of
    /// HTTP/1, no more than there were requests, in heads that nobody else has written a line of.
    static func httpConnection(_ bytes: [UInt8]) {
        let whole = answers(to: bytes, in: max(1, bytes.count))
        let cut = answers(to: bytes, in: 7)
        precondition(whole == cut, "the cut of the stream matters")
        guard !whole.isEmpty else { return }
        precondition(whole.starts(with: "HTTP/1.".utf8), "no answer of HTTP/1")
        let lines = String(decoding: whole, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        let heads = lines.count { $0.hasPrefix("HTTP/1.") }
        let ends = bytes.indices.count { bytes[$0] == 10 }
        precondition(heads <= ends + 1, "more answers than requests")
    }

    private static func answers(to bytes: [UInt8], in size: Int) -> [UInt8] {
        guard let backend = EmptyBackend() else { preconditionFailure("the site of the fuzz test is not valid") }
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        var out: [UInt8] = []
        do {
            try channel.pipeline.syncOperations.addBootHTTPHandlers(
                namespace: BootNamespace(backend: backend), transfers: ActiveTransfers(),
                readers: NIOThreadPool(numberOfThreads: 1),
                logger: Logger(label: "fuzz", factory: { _ in SwiftLogNoOpLogHandler() }))
            channel.connect(to: try SocketAddress(ipAddress: "10.20.99.21", port: 1), promise: nil)
            for start in stride(from: 0, to: bytes.count, by: size) where channel.isActive {
                let piece = bytes[start..<min(bytes.count, start + size)]
                _ = try? channel.writeInbound(ByteBuffer(bytes: piece))
            }
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) { out += buffer.readableBytesView }
        } catch {
            preconditionFailure("the connection cannot be made: \(error)")
        }
        return out
    }

    /// An offer is of a server that answers, for one machine, with bounded names; and a question is no offer.
    static func dhcpOffer(_ bytes: [UInt8]) {
        guard let offer = DHCPMessage(offer: bytes) else { return }
        precondition(bytes.count >= 240 && bytes[0] == 2)
        precondition((offer.bootFile?.utf8.count ?? 0) <= 3 * bytes.count, "a name longer than the packet")
        precondition(offer.nameServers.count <= bytes.count / 4)
        let question = DHCPMessage.discover(
            .init(
                transaction: offer.transaction, mac: offer.mac, architecture: 7,
                userClass: offer.bootFile.map { String($0.prefix(50)) }))
        precondition(DHCPMessage(offer: question) == nil)
    }
}

/// A site of one machine, and nothing published.
private struct EmptyBackend: BootBackend {
    private static let site = Site.parse(
        Array(
            """
            schema: provisioner.site/1
            root_domain: example.net
            management: {zone: mgmt.example.net, ttl: 60}
            substrates:
              one:
                zone: one.example.net
                cidr: 10.20.0.0/16
                segments:
                  management: {vlan: 99, subnet: 10.20.99.0/24, gateway: 10.20.99.1}
            hosts:
              server-ph01:
                form: ph
                plane: management
                interfaces:
                  one: {mac: "02:00:00:00:00:01", at: one/management, ip: 10.20.99.95, claims_gateway: true}
              node-hv01:
                form: hv
                plane: one
                interfaces:
                  a: {mac: "02:00:00:00:00:02", at: one/management, ip: 10.20.99.21, primary: true}
            services:
              artifacts: {zone: management, provider: server-ph01, expose_in: [one]}
              pxe: {zone: management, provider: server-ph01, expose_in: [one]}
            authority: {one: {declared: provisioner}}
            """.utf8)
    ).site
    private let site: Site

    init?() {
        guard let site = Self.site else { return nil }
        self.site = site
    }

    var snapshot: BootSnapshot {
        BootSnapshot(
            decider: BootDecider(site: site, releases: ReleaseIndex(), installations: NoInstallations()), httpPort: 80,
            modes: [:])
    }
    var decisionBasis: DecisionBasis { DecisionBasis(site: site.revision, releases: 0, installations: 0) }
    func blobPath(_ digest: Digest) -> String { "/nothing" }
    func loaderPath(_ name: String) -> String? { nil }
    func signature(_ form: SignatureForm, of content: FileContent) -> Preparation<[UInt8]> { .failed }
    func signature(_ form: SignatureForm, over bytes: [UInt8]) -> Preparation<[UInt8]> { .failed }
    func grubImage(_ platform: GRUBPlatform) -> Preparation<[UInt8]> { .failed }
    func kernelImage(_ parts: KernelImageParts) -> Preparation<String> { .failed }
    func overlay(_ files: [OverlayFile]) -> [UInt8]? { nil }
    func tftpBlockSize(at address: IPv4Address) -> Int? { nil }
    func issueToken(host: String) -> String? { "token" }
    func steadyToken(host: String, plan: BootPlan) -> String? { "token" }
    func host(forToken token: String) -> String? { nil }
    func reportUp(token: String, address: IPv4Address?) -> Bool { false }
    func reportInstalled(token: String, address: IPv4Address?) async throws -> Bool { false }
    func note(_ event: BootEvent, from address: IPv4Address, bytes: Int64) {}
}
