package import ArgumentParser
internal import Artifacts
internal import Boot
internal import ConfigurationFile
internal import Site
internal import Store

/// `provisioner explain --mac MAC`.
package struct ExplainCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Print what a machine would get, and why.",
        discussion:
            "Works without a running daemon, and changes nothing: the per-boot URL in the script is no valid one.")

    @Option(help: "The site file.")
    var site = DefaultPath.site

    @Option(help: "The data directory.")
    var data = DefaultPath.data

    @Option(help: "The MAC address, in any spelling.")
    var mac: String?

    @Option(help: "The SMBIOS UUID.")
    var uuid: String?

    @Option(help: "The SMBIOS serial number.")
    var serial: String?

    @Option(help: "The name that DHCP gave.")
    var hostname: String?

    @Option(help: "The architecture: x86_64, arm64, ...")
    var arch: String?

    @Option(help: "pcbios or efi.")
    var platform: String?

    @Option(help: "The IPv4 address that the request comes from.")
    var address: String?

    @Option(help: "The port of the boot plane's HTTP listener.")
    var httpPort = 80

    package init() {}

    package func validate() throws {
        if mac == nil, uuid == nil, serial == nil, hostname == nil {
            throw ValidationError("name the machine: --mac, --uuid, --serial or --hostname")
        }
        if let mac, MACAddress(mac) == nil { throw ValidationError("--mac '\(mac)' is not a MAC address") }
        if let uuid, SystemIdentity.canonicalUUID(uuid) == nil {
            throw ValidationError("--uuid '\(uuid)' is not a usable UUID: 8-4-4-4-12 hexadecimal digits, not all equal")
        }
        if let arch, Architecture(any: arch) == nil { throw ValidationError("--arch '\(arch)' is not known") }
        if let platform, !["pcbios", "efi"].contains(platform) {
            throw ValidationError("--platform '\(platform)' must be pcbios or efi")
        }
        if let address, IPv4Address(address) == nil {
            throw ValidationError("--address '\(address)' is not an IPv4 address")
        }
    }

    package func run() throws {
        let reading = SiteFile.read(site)
        guard let site = reading.site else {
            for finding in reading.diagnostics where finding.severity == .error {
                StandardError.write(finding.rendered(file: self.site))
            }
            throw ExitCode.failure
        }
        let decider: BootDecider
        do {
            decider = try OfflineDecider.make(for: site, data: data)
        } catch {
            StandardError.write("note: \(error.message): nothing counts as published")
            decider = OfflineDecider.make(for: site, data: data, releases: ReleaseIndex())
        }
        var fields = [
            "mac": mac, "uuid": uuid, "serial": serial, "hostname": hostname, "arch": arch, "platform": platform,
        ]
        .compactMapValues { $0 }
        fields["platform"] = platform ?? "efi"
        let request = BootRequest(fields: fields, address: address.flatMap { IPv4Address($0) })
        let decision = decider.decide(request)
        print(Explanation(decision: decision, request: request, site: site, httpPort: httpPort).text)
    }
}

/// A decision in words.
struct Explanation {
    let decision: BootDecision
    let request: BootRequest
    let site: Site
    let httpPort: Int

    var text: String {
        var lines = [
            "machine    \(machine)",
            "host       \(decision.host ?? "unknown")",
            "substrate  \(decision.substrate ?? "none")",
            "decision   \(outcome)",
        ]
        lines += decision.reasons.enumerated().map { ($0 == 0 ? "why        " : "           ") + $1 }
        lines.append("")
        lines.append(script)
        return lines.joined(separator: "\n")
    }

    private var machine: String {
        [
            request.mac.map { "mac \($0)" }, request.uuid.map { "uuid \($0)" }, request.serial.map { "serial \($0)" },
            request.hostName.map { "hostname \($0)" }, request.architecture.map { "arch \($0.rawValue)" },
        ].compactMap { $0 }.joined(separator: ", ")
    }

    private var outcome: String {
        switch decision.outcome {
        case .boot(let plan): "boot profile \(plan.profile) (\(plan.frequency.rawValue))"
        case .localDisk: "boot the local disk"
        case .hold(let seconds): "wait, ask again every \(seconds) s"
        case .refuse: "refuse"
        }
    }

    private var script: String {
        let mode = decision.substrate.flatMap { site.authority(of: $0)?.declared } ?? .router
        guard let substrate = decision.substrate,
            let names = BootNames(site: site, substrate: substrate, mode: mode, port: httpPort)
        else { return "no script: the substrate has no names for the services 'pxe' and 'artifacts'" }
        var expansion: ProfileExpansion?
        if let host = decision.host.flatMap({ site.host($0) }) {
            expansion = ProfileExpansion(names: names, host: host, mac: request.mac, token: "TOKEN")
        }
        do {
            return try IPXERenderer(names: names).script(decision, expansion: expansion)
        } catch {
            return "no script: \(error.message)"
        }
    }
}
