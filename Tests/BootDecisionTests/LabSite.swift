import Artifacts
import Boot
import Fixtures
import Site
import Testing

/// A site with a host for every kind of assignment, and what the decision about it needs.
enum LabSite {
    static let text = """
        schema: provisioner.site/1
        root_domain: example.net
        management: {zone: mgmt.example.net}
        substrates:
          lab:
            zone: lab.example.net
            segments:
              management: {subnet: 10.20.99.0/24, gateway: 10.20.99.1}
        hosts:
          boot-ph01:
            plane: management
            interfaces:
              lab: {mac: "52:54:00:00:00:01", at: lab/management, ip: 10.20.99.95, claims_gateway: true}
          hv01:
            plane: lab
            uuid: 4c4c4544-0000-0000-0000-000000000001
            serial: ABC123
            arch: x86_64
            interfaces:
              mgmt: {mac: "52:54:00:00:01:01", at: lab/management, ip: 10.20.99.21}
              ipmi: {mac: "52:54:00:00:01:02", at: lab/management, ip: 10.20.99.41}
          hv02: {plane: lab, interfaces: {mgmt: {mac: "52:54:00:00:02:01", at: lab/management, ip: 10.20.99.22}}}
          hv03: {plane: lab, interfaces: {mgmt: {mac: "52:54:00:00:03:01", at: lab/management, ip: 10.20.99.23}}}
          hv04: {plane: lab, interfaces: {mgmt: {mac: "52:54:00:00:04:01", at: lab/management, ip: 10.20.99.24}}}
        services:
          artifacts: {zone: management, provider: boot-ph01, expose_in: [lab]}
          pxe: {zone: management, provider: boot-ph01, expose_in: [lab]}
        profiles:
          debian:
            kernel: debian:12.11/install.amd/vmlinuz
            initrd: ["debian:12.11/install.amd/initrd.gz"]
            args: ["auto", "url=${answer.url}", "hostname=${host.name}", "mirror=http://${service.artifacts}/m", "---"]
            answer: answers:1/preseed.cfg
          rescue:
            kernel: rescue:1/linux
            initrd: ["ucode:7/intel.cpio", "rescue:1/initrd.img"]
          memtest: {kernel: memtest:6/memtest.efi}
          pi: {image: "pi:1/disk.raw"}
        assignments:
          hv01: {profile: debian, boot: once}
          hv02: {profile: rescue, boot: always}
          hv03: {profile: memtest, boot: local}
        authority:
          lab: {declared: router}

        """

    static func site() throws -> Site { try #require(Site.parse(Array(text.utf8)).site) }

    /// Every file that a profile of the site names, published.
    static func releases(of site: Site, without missing: Set<String> = []) throws -> ReleaseIndex {
        let references = site.profiles.flatMap { [$0.kernel, $0.answer].compactMap { $0 } + $0.initrds }
        var index = ReleaseIndex()
        for (artifact, group) in Dictionary(grouping: references, by: \.artifact) {
            guard case .tag(let tag) = artifact.version, !missing.contains(artifact.description) else { continue }
            var files: [ArtifactPath: ReleaseFile] = [:]
            for reference in group where !missing.contains(reference.description) {
                files[reference.path] = ReleaseFile(digest: SHA256.digest(of: reference.description.utf8), size: 5)
            }
            let digest = SHA256.digest(of: artifact.description.utf8)
            index.insert(try Release(digest: digest, files: files), name: artifact.name, tag: tag)
        }
        return index
    }

    static func mac(_ text: String) throws -> MACAddress { try #require(MACAddress(canonical: text)) }
}

/// Hosts that reported that they are installed.
struct InstalledHosts: InstallationReading {
    var names: Set<String> = []
    func isInstalled(host: String) -> Bool { names.contains(host) }
}

extension BootDecider {
    /// Decides with everything published, unless said otherwise.
    init(_ site: Site, without missing: Set<String> = [], installed: Set<String> = []) throws {
        self.init(
            site: site, releases: try LabSite.releases(of: site, without: missing),
            installations: InstalledHosts(names: installed))
    }
}

extension BootDecision {
    var plan: BootPlan? { if case .boot(let plan) = outcome { plan } else { nil } }
}
