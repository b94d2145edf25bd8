package import ArgumentParser
internal import Artifacts
internal import Authority
internal import Boot
internal import BootSigning
internal import ConfigurationFile
internal import Preflight
internal import Site
internal import Store

/// `provisioner preflight`.
package struct PreflightCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "preflight", abstract: "Go through machines' boots before they do, and tell what would fail.",
        discussion: """
            Asks DHCP as the machine's firmware would (with its MAC address, and taking nothing), loads the loader, asks for \
            the script, and loads every file in it: by the names and from the addresses that the machine gets. Digests and \
            signatures are checked over what came. Runs beside the server, as root, and changes nothing: the machine keeps \
            its state, and its timeline says nothing of it.
            Exit status: 0 every machine would boot, 1 one would not.
            """)

    @Option(help: "The site file.")
    var site = DefaultPath.site

    @Option(help: "The server's data directory.")
    var data = DefaultPath.data

    @Option(help: "A host; more than once for more (default: every host that a profile is assigned to).")
    var host: [String] = []

    @Option(
        help: ArgumentHelp(
            "How the machine starts: bios, uefi or uefi-http; more than once for more (default: bios and uefi).",
            valueName: "firmware"))
    var firmware: [Preflight.Firmware] = []

    @Option(
        help: ArgumentHelp(
            "Where the server is: then neither DHCP nor DNS is asked, and nothing needs root.", valueName: "address"))
    var server: String?

    @Option(help: "The port of the boot plane's HTTP listener.")
    var httpPort = 80

    @Option(help: "The port of the boot plane's TFTP listener.")
    var tftpPort: UInt16 = 69

    @Flag(help: "Print only what is not as it should be.")
    var quiet = false

    package init() {}

    package func validate() throws {
        if let server, IPv4Address(server) == nil {
            throw ValidationError("--server '\(server)' is not an IPv4 address")
        }
    }

    package func run() async throws {
        let reading = SiteFile.read(site)
        guard let parsed = reading.site else {
            for finding in reading.diagnostics where finding.severity == .error {
                StandardError.write(finding.rendered(file: site))
            }
            throw ExitCode.failure
        }
        let machines = try machines(of: parsed)
        guard !machines.isEmpty else {
            print("\(site): no host has a profile that it would boot: there is nothing to go through")
            return
        }
        var options = Preflight.Options(
            firmware: firmware.isEmpty ? [.bios, .uefi] : firmware, httpPort: httpPort, tftpPort: tftpPort,
            server: server.flatMap { IPv4Address($0) },
            certificate: certificatePath.flatMap { SmallFile.read($0, limit: 1 << 16) }.map {
                String(decoding: $0, as: UTF8.self)
            },
            interface: { NetworkInterfaces.name(in: $0) })
        let check = GRUBSignatureCheck(data: data)
        let certificate = certificatePath
        options.isSignedForFirmware = { program in
            guard let certificate else { return nil }
            return try? await EFISignature.isValid(program, by: certificate)
        }
        options.isSignedForGRUB = { signature, file in await check.isValid(signature, over: file) }
        var preflight = Preflight(site: parsed, options: options)
        var failing = 0
        for machine in machines {
            let report = await preflight.run(machine)
            if !report.passes { failing += 1 }
            if !quiet || !report.passes { print(report.text(onlyFaults: quiet)) }
        }
        print("\(machines.count) machines: \(machines.count - failing) would boot, \(failing) would not")
        if failing > 0 { throw ExitCode.failure }
    }

    private var certificatePath: String? {
        [DefaultPath.tokenCertificate(in: data), DefaultPath.bootCertificate(in: data)]
            .first { SmallFile.read($0, limit: 1 << 16) != nil }
    }

    private func machines(of site: Site) throws -> [Preflight.Machine] {
        for name in host where site.host(name) == nil {
            throw ValidationError("--host \(name): the site file has no such host")
        }
        let decider: BootDecider
        do {
            decider = try OfflineDecider.make(for: site, data: data)
        } catch {
            throw ValidationFailure(
                "\(data): \(error.message): is it the server's --data, and has the server run once?")
        }
        let hosts = host.isEmpty ? site.assignments.filter { $0.boot != .local }.map(\.host) : host
        return try hosts.compactMap { name in
            guard let host = site.host(name) else { return nil }
            guard let interface = host.primaryInterface ?? host.interfaces.first(where: { $0.segment != nil }) else {
                if self.host.isEmpty { return nil }
                throw ValidationError(
                    "--host \(name): it has no interface on a segment, so nothing is known to ask with")
            }
            let request = BootRequest(
                mac: interface.mac, uuid: host.uuid, serial: host.serial,
                architecture: host.architecture ?? .x86_64, platform: "efi")
            return Preflight.Machine(host: host, interface: interface, decision: decider.decide(request))
        }
    }
}

extension Preflight.Firmware: ExpressibleByArgument {}
