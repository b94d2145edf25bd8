package import Artifacts
package import Boot
package import Site

/// What a boot is decided on, at one moment. A value: requests keep theirs while a new one is made.
package struct BootSnapshot: Sendable {
    package let decider: BootDecider
    /// The port that machines reach the HTTP listener at.
    package let httpPort: Int
    /// Who answers on each substrate now; a substrate that is not listed is as the site file declares it.
    package let modes: [String: AuthorityMode]

    package init(decider: BootDecider, httpPort: Int, modes: [String: AuthorityMode]) {
        self.decider = decider
        self.httpPort = httpPort
        self.modes = modes
    }

    package var site: Site { decider.site }

    /// nil when the substrate has no names to give.
    package func names(of substrate: String) -> BootNames? {
        let mode = modes[substrate] ?? site.authority(of: substrate)?.declared ?? .router
        return BootNames(site: site, substrate: substrate, mode: mode, port: httpPort)
    }

    /// The names for a client: those of the substrate its address is in, else of the only one there is.
    package func names(for address: IPv4Address?) -> BootNames? {
        let substrate = address.flatMap { site.substrate(containing: $0) }
        return (substrate ?? (site.substrates.count == 1 ? site.substrates.first : nil)).flatMap { names(of: $0.name) }
    }
}

/// What a decision to boot depends on, besides the request: while it stays the same, so does the decision.
package struct DecisionBasis: Hashable, Sendable {
    /// The site file's revision.
    package let site: Digest
    /// `ReleaseIndex.generation` of what is published.
    package let releases: UInt64
    /// Changes whenever a host is installed or armed.
    package let installations: UInt64

    package init(site: Digest, releases: UInt64, installations: UInt64) {
        self.site = site
        self.releases = releases
        self.installations = installations
    }
}

/// What the boot plane asks of the rest of the program. All but `reportInstalled` answer from memory: no request waits
/// for the database.
package protocol BootBackend: Sendable {
    var snapshot: BootSnapshot { get }
    /// The basis of decisions by `snapshot`. Whoever keeps a decision asks for it before the snapshot.
    var decisionBasis: DecisionBasis { get }
    /// Where a blob's bytes are. Only asked for digests of published versions.
    func blobPath(_ digest: Digest) -> String
    /// The path of a boot loader by its file name; nil when there is none.
    func loaderPath(_ name: String) -> String?
    /// A detached signature of this site over a file.
    func signature(_ form: SignatureForm, of content: FileContent) -> Preparation<[UInt8]>
    /// The same over bytes that are in no file.
    func signature(_ form: SignatureForm, over bytes: [UInt8]) -> Preparation<[UInt8]>
    /// The GRUB of this site.
    func grubImage(_ platform: GRUBPlatform) -> Preparation<[UInt8]>
    /// The path of a unified kernel image that the boot key has signed.
    func kernelImage(_ parts: KernelImageParts) -> Preparation<String>
    /// An initrd of these files; nil when they cannot be one.
    func overlay(_ files: [OverlayFile]) -> [UInt8]?
    /// Bytes of a TFTP block at most for the host at an address, where the site file says so.
    func tftpBlockSize(at address: IPv4Address) -> Int?
    /// A token for one boot of one host; nil when the machine has no random numbers.
    func issueToken(host: String) -> String?
    /// The same one for a while, as long as it is good and the plan stays: for what a loader asks for in several requests,
    /// which have to fit together.
    func steadyToken(host: String, plan: BootPlan) -> String?
    /// The host that a per-boot token belongs to; nil when it is not valid.
    func host(forToken token: String) -> String?
    /// Notes that a host runs. False when the token is not valid.
    func reportUp(token: String, address: IPv4Address?) -> Bool
    /// Records that a host is installed; returns when that is durable. False when the token is not valid.
    func reportInstalled(token: String, address: IPv4Address?) async throws -> Bool
    /// Puts a step on a machine's timeline.
    func note(_ event: BootEvent, from address: IPv4Address, bytes: Int64)
}

/// Something that takes longer to make than a request of the boot plane may take.
package enum Preparation<Value: Sendable>: Sendable {
    case ready(Value)
    /// It is being made: ask again.
    case preparing
    /// It cannot be made now; why is in the log.
    case failed
}

/// How a signature is written down.
package enum SignatureForm: String, Hashable, Sendable {
    /// CMS (RFC 5652) by the boot key, DER.
    case cms
    /// OpenPGP (RFC 4880) by the key that GRUB has inside, binary.
    case openPGP
}

/// What goes into a unified kernel image.
package struct KernelImageParts: Sendable, Hashable {
    package let kernel: FileContent
    package let initrds: [FileContent]
    /// cpio, which is laid over the initrds.
    package let overlay: [UInt8]?
    /// The kernel's command line.
    package let arguments: String

    package init(kernel: FileContent, initrds: [FileContent], overlay: [UInt8]?, arguments: String) {
        self.kernel = kernel
        self.initrds = initrds
        self.overlay = overlay
        self.arguments = arguments
    }
}

/// A file of an overlay, its variables filled in.
package struct OverlayFile: Sendable, Hashable {
    package let path: ArtifactPath
    package let mode: UInt16
    package let bytes: [UInt8]
}

/// A step that the boot plane saw.
package enum BootEvent: Sendable, Hashable {
    case stage1
    indirect case script(BootRequest, BootDecision)
    case file(FileReference)
    case loader(String)
    case answer(host: String)
    case overlay(host: String)
    case log(SyslogMessage)
    case failure(String)
}
