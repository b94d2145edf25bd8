package import ConfigurationFile
internal import Site

/// What reading a network file gave.
package struct NetworkReading: Sendable {
    /// nil when any finding is an error.
    package let file: NetworkFile?
    /// In the order of the file.
    package let diagnostics: [FileDiagnostic]
}

extension NetworkFile {
    /// Reads and checks a network file for a machine that has these cards. Never throws: everything that is wrong is a
    /// finding with its line and column.
    package static func parse(_ bytes: [UInt8], links: [NetworkLink]) -> NetworkReading {
        let diagnostics = DiagnosticCollector()
        let needs = "'schema: \(schema)' and 'interfaces'"
        guard let root = YAMLDocument.root(of: bytes, maximumSize: maximumFileSize, needs: needs, diagnostics) else {
            return NetworkReading(file: nil, diagnostics: diagnostics.sorted)
        }
        let file = NetworkFileReader(root: root, links: links).read()
        return NetworkReading(file: diagnostics.hasErrors ? nil : file, diagnostics: diagnostics.sorted)
    }
}

/// Turns the file's mappings into values, and checks what they mean on this machine. Rules: docs/appliance.md.
private struct NetworkFileReader {
    let root: YAMLSection
    let links: [NetworkLink]

    func read() -> NetworkFile {
        let schema = root.requiredString("schema", example: NetworkFile.schema)
        if let schema, schema != NetworkFile.schema {
            root.fail("schema", "V01", "'\(schema)' is not known: this version reads '\(NetworkFile.schema)'")
        }
        let hostName = root.string("hostname")
        if let hostName, !DomainName.isLabel(hostName) {
            root.fail("hostname", "N01", "'\(hostName)' must be 1 to 63 lower-case letters, digits and inner dashes")
        }
        let timeServers = root.strings("ntp").compactMap { text, position -> String? in
            guard IPv4Address(text) != nil || DomainName(text) != nil else {
                root.diagnostics.report(.error, "N05", at: position, "ntp: '\(text)' is neither a name nor an address")
                return nil
            }
            return text
        }
        let interfaces = readInterfaces()
        root.finish()
        return NetworkFile(hostName: hostName, interfaces: interfaces, timeServers: timeServers)
    }

    private func readInterfaces() -> [NetworkFile.Interface] {
        guard let section = root.section("interfaces") else {
            root.diagnostics.report(
                .error, "N02", at: root.position,
                "'interfaces' is missing: add for example 'interfaces: {lan: {mac: \"\(exampleMAC)\", dhcp: true}}'")
            return []
        }
        if section.keys.isEmpty {
            root.diagnostics.report(
                .error, "N02", at: section.position,
                "'interfaces' names no card, so none would have an address: add one, or remove network.yaml")
        }
        var found: [NetworkFile.Interface] = []
        for (name, position) in section.keys {
            guard DomainName.isLabel(name) else {
                root.diagnostics.report(
                    .error, "N01", at: position,
                    "'\(section.child(name))': names are 1 to 63 lower-case letters, digits and inner dashes")
                continue
            }
            guard let entry = section.named(name) else { continue }
            let interface = readInterface(name, entry)
            entry.finish()
            guard let interface else { continue }
            if let other = found.first(where: { $0.mac == interface.mac }) {
                entry.fail("mac", "N03", "\(interface.mac) is the card of '\(other.name)' already: each has one entry")
            }
            checkNetwork(interface, entry, against: found)
            found.append(interface)
        }
        return found
    }

    private func readInterface(_ name: String, _ section: YAMLSection) -> NetworkFile.Interface? {
        let mac = section.requiredString("mac", "N03", example: "\"\(exampleMAC)\"").flatMap { readMAC($0, section) }
        let addressing = readAddressing(section)
        guard let mac, let addressing else { return nil }
        return NetworkFile.Interface(name: name, mac: mac, addressing: addressing)
    }

    private func readMAC(_ text: String, _ section: YAMLSection) -> MACAddress? {
        guard let mac = MACAddress(text) else {
            section.fail("mac", "N03", "'\(text)' is not a MAC address: write aa:bb:cc:dd:ee:ff, in quotes")
            return nil
        }
        guard links.contains(where: { $0.mac == mac }) else {
            section.fail("mac", "N03", "no network card of this machine has \(mac); it has \(cards)")
            return nil
        }
        return mac
    }

    private func readAddressing(_ section: YAMLSection) -> NetworkFile.Addressing? {
        let dhcp = section.boolean("dhcp") ?? false
        let text = section.string("address")
        let gateway = section.string("gateway").flatMap { address($0, section, "gateway") }
        let resolvers = section.strings("dns").compactMap { text, position -> IPv4Address? in
            guard let address = IPv4Address(text) else {
                section.diagnostics.report(.error, "N04", at: position, "dns: '\(text)' is not an IPv4 address")
                return nil
            }
            return address
        }
        if dhcp {
            for key in ["address", "gateway", "dns"] where section.has(key) {
                section.fail(key, "N04", "with 'dhcp: true' it comes from the DHCP server: remove one of the two")
            }
            return .dhcp
        }
        guard let text else {
            if !section.has("address") {
                section.diagnostics.report(
                    .error, "N04", at: section.position,
                    "'\(section.path)' has no address: add 'address: 10.20.99.1/24' or 'dhcp: true'")
            }
            return nil
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(parts[0]), let length = Int(parts[1]),
            (1...32).contains(length), String(length) == parts[1]
        else {
            section.fail("address", "N04", "'\(text)' is not an address with its prefix length: write 10.20.99.1/24")
            return nil
        }
        let fixed = NetworkFile.FixedAddress(
            address: address, prefixLength: length, gateway: gateway, resolvers: resolvers)
        check(fixed, section)
        return .fixed(fixed)
    }

    private func check(_ fixed: NetworkFile.FixedAddress, _ section: YAMLSection) {
        guard let network = fixed.network else { return }
        if ![31, 32].contains(fixed.prefixLength), [network.address, network.broadcast].contains(fixed.address) {
            section.fail(
                "address", "N04", "\(fixed.address) is the network itself, or its broadcast: no machine's address")
        }
        if fixed.address.value >> 28 == 14 || [0, 127].contains(fixed.address.value >> 24) {
            section.fail("address", "N04", "\(fixed.address) is no machine's address")
        }
        guard let gateway = fixed.gateway else { return }
        if gateway == fixed.address {
            section.fail(
                "gateway", "N04", "\(gateway) is this machine itself: leave it out when this box is the gateway")
        } else if !network.contains(gateway) {
            section.fail("gateway", "N04", "\(gateway) is not in \(network): it cannot be reached through this card")
        }
    }

    private func checkNetwork(
        _ interface: NetworkFile.Interface, _ section: YAMLSection, against others: [NetworkFile.Interface]
    ) {
        guard case .fixed(let fixed) = interface.addressing, let network = fixed.network else { return }
        for other in others {
            guard case .fixed(let taken) = other.addressing, let existing = taken.network else { continue }
            if network.overlaps(existing) {
                section.fail(
                    "address", "N04",
                    "\(network) overlaps \(existing) of '\(other.name)': answers would leave by one of them")
            }
            if fixed.gateway != nil, taken.gateway != nil {
                section.fail("gateway", "N04", "'\(other.name)' has a gateway already: one is enough")
            }
        }
    }

    private func address(_ text: String, _ section: YAMLSection, _ key: String) -> IPv4Address? {
        if let address = IPv4Address(text) { return address }
        section.fail(key, "N04", "'\(text)' is not an IPv4 address")
        return nil
    }

    private var exampleMAC: String { links.first?.mac.description ?? "52:54:00:12:34:56" }

    /// `52:54:00:12:34:56 (enp1s0, up)`, so that the right one can be copied from the screen.
    private var cards: String {
        links.isEmpty
            ? "none that the kernel has a driver for"
            : links.map { "\($0.mac) (\($0.name), \($0.condition))" }.joined(separator: ", ")
    }
}
