/// A site of one substrate, for a lab: the provisioner owns the gateway, hosts hang on one segment.
package struct SiteFixture: Sendable {
    /// A machine of the site.
    package struct Machine: Sendable {
        package var name: String
        package var mac: String
        package var address: String
        /// As in `assignments`; nil for none.
        package var assignment: String?

        package init(name: String, mac: String, address: String, assignment: String? = nil) {
            self.name = name
            self.mac = mac
            self.address = address
            self.assignment = assignment
        }
    }

    package var machines: [Machine]
    /// Lines of the `profiles` mapping, without indentation.
    package var profiles: [String]
    /// `provisioner` or `router`.
    package var declared: String

    /// Lines of the `trust` mapping, without indentation.
    package var trust: [String] = []

    /// The MAC of the provisioner's card on the segment.
    package var provisionerMAC: String

    package init(
        machines: [Machine] = [], profiles: [String] = [], declared: String = "provisioner",
        provisionerMAC: String = NetworkLab.bridgeMAC
    ) {
        self.machines = machines
        self.profiles = profiles
        self.declared = declared
        self.provisionerMAC = provisionerMAC
    }

    /// The substrate's name.
    package static let substrate = "dvntm"
    /// The name by which machines of the lab reach artifacts.
    package static let artifactsName = "artifacts.dvntm.deevnet.net"
    /// The name by which machines of the lab reach scripts.
    package static let scriptsName = "pxe.dvntm.deevnet.net"

    /// The site file's text.
    package var yaml: String {
        var lines = [
            "schema: provisioner.site/1",
            "root_domain: deevnet.net",
            "management: {zone: mgmt.deevnet.net, ttl: 60}",
            "substrates:",
            "  dvntm:",
            "    zone: dvntm.deevnet.net",
            "    cidr: 10.20.0.0/16",
            "    segments:",
            "      management:",
            "        vlan: 99",
            "        subnet: 10.20.99.0/24",
            "        gateway: 10.20.99.1",
            "        pool: {range: [10.20.99.100, 10.20.99.200], only_in: provisioner}",
            "hosts:",
            "  provisioner-ph01:",
            "    form: ph",
            "    plane: management",
            "    interfaces:",
            "      dvntm: {mac: \"\(provisionerMAC)\", at: dvntm/management, ip: 10.20.99.95, claims_gateway: true}",
        ]
        for machine in machines {
            lines += [
                "  \(machine.name):",
                "    form: hv",
                "    plane: dvntm",
                "    interfaces:",
                "      mgmt: {mac: \"\(machine.mac)\", at: dvntm/management, ip: \(machine.address), primary: true}",
            ]
        }
        lines += [
            "services:",
            "  artifacts: {zone: management, provider: provisioner-ph01, expose_in: [dvntm]}",
            "  pxe: {zone: management, provider: provisioner-ph01, expose_in: [dvntm]}",
        ]
        if !profiles.isEmpty { lines += ["profiles:"] + profiles.map { "  " + $0 } }
        let assigned = machines.compactMap { machine in machine.assignment.map { "  \(machine.name): \($0)" } }
        if !assigned.isEmpty { lines += ["assignments:"] + assigned }
        if !trust.isEmpty { lines += ["trust:"] + trust.map { "  " + $0 } }
        lines += ["authority:", "  dvntm: {declared: \(declared)}"]
        return lines.joined(separator: "\n") + "\n"
    }
}
