/// Configuration for systemd-networkd (systemd.network(5)): one file for each card. The same network file always gives
/// the same text.
package enum NetworkdConfiguration {
    /// One file of `/run/systemd/network`.
    package struct File: Hashable, Sendable {
        package let name: String
        package let text: String
    }

    /// Cards that the file does not name get no address: a box answers where it was told to.
    package static func files(for network: NetworkFile) -> [File] {
        network.interfaces.map { interface in
            var lines = ["[Match]", "PermanentMACAddress=\(interface.mac)", "", "[Link]", "RequiredForOnline=no", ""]
            lines.append("[Network]")
            lines += network.timeServers.map { "NTP=\($0)" }
            switch interface.addressing {
            case .dhcp: lines += ["DHCP=ipv4", "LinkLocalAddressing=ipv6"]
            case .fixed(let fixed):
                lines += [
                    "Address=\(fixed.address)/\(fixed.prefixLength)", "LinkLocalAddressing=ipv6",
                    // On this segment the box is the authority: it takes no routes from anybody.
                    "IPv6AcceptRA=no",
                    // The address is there before the cable, so that services which bind to it can start.
                    "ConfigureWithoutCarrier=yes",
                ]
                if let gateway = fixed.gateway { lines.append("Gateway=\(gateway)") }
                lines += fixed.resolvers.map { "DNS=\($0)" }
            }
            return File(name: "10-\(interface.name).network", text: lines.joined(separator: "\n") + "\n")
        }
    }

    /// Without a usable network file: an address that needs nobody (RFC 3927), on every Ethernet card.
    package static let linkLocal = [
        File(
            name: "90-link-local.network",
            text: """
                [Match]
                Type=ether

                [Link]
                RequiredForOnline=no

                [Network]
                LinkLocalAddressing=yes
                IPv6AcceptRA=no

                """)
    ]
}
