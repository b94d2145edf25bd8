package import Site

/// The URLs that machines of one substrate are given: always names (DESIGN: an IP literal in a script is a defect).
package struct BootNames: Hashable, Sendable {
    private let view: SubstrateView
    private let scripts: DomainName
    private let artifacts: DomainName
    /// The port of the boot plane's HTTP listener; 80 is left out of URLs.
    private let port: Int

    /// nil when the substrate does not exist or has no name for a service that machines need.
    package init?(site: Site, substrate: String, mode: AuthorityMode, port: Int) {
        guard let view = SubstrateView(site: site, substrate: substrate, mode: mode),
            let scripts = view.serviceName(BootService.scripts),
            let artifacts = view.serviceName(BootService.artifacts)
        else { return nil }
        self.view = view
        self.scripts = scripts
        self.artifacts = artifacts
        self.port = port
    }

    package var scriptsBase: String { base(scripts) }
    package var artifactsBase: String { base(artifacts) }

    /// Where stage 1 is, for DHCP.
    package var stage1: String { scriptsBase + "/boot.ipxe" }

    /// A loader of `/loaders`.
    package func loader(_ name: String) -> String { "\(scriptsBase)/loaders/\(name)" }

    /// A machine's own unified kernel image.
    package func kernelImage(_ mac: MACAddress) -> String { "\(scriptsBase)/\(BootPath.kernelImage(mac))" }

    /// The base of a machine's own URLs for one boot.
    package func perBoot(_ token: String) -> String { "\(scriptsBase)/hosts/\(token)" }

    /// The full name of a service on this substrate.
    package func service(_ name: String) -> DomainName? { view.serviceName(name) }

    package func fullName(ofHost name: String) -> DomainName? { view.site.host(name).map { view.fullName(of: $0) } }

    private func base(_ name: DomainName) -> String { port == 80 ? "http://\(name)" : "http://\(name):\(port)" }

    package static func == (lhs: BootNames, rhs: BootNames) -> Bool {
        lhs.scripts == rhs.scripts && lhs.artifacts == rhs.artifacts && lhs.port == rhs.port
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(scripts) }
}
