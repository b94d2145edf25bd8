package import Site

/// `network.yaml`: how an appliance itself is connected. It stands beside the site file because it is about one box: a
/// box that takes over gets another one, and the same site file.
package struct NetworkFile: Hashable, Sendable {
    /// The schema this version reads.
    package static let schema = "provisioner.network/1"
    /// Larger files are refused.
    package static let maximumFileSize = 64 << 10

    /// One network card.
    package struct Interface: Hashable, Sendable {
        /// The operator's word for it.
        package var name: String
        package var mac: MACAddress
        package var addressing: Addressing
    }

    /// How a card gets its address.
    package enum Addressing: Hashable, Sendable {
        case dhcp
        case fixed(FixedAddress)
    }

    /// An address that does not change.
    package struct FixedAddress: Hashable, Sendable {
        package var address: IPv4Address
        /// 1 to 32.
        package var prefixLength: Int
        /// The way to other networks; nil for none through this card.
        package var gateway: IPv4Address?
        /// Resolvers for names outside the site.
        package var resolvers: [IPv4Address]

        package var network: IPv4Network? {
            let mask = UInt32.max << UInt32(32 - prefixLength)
            return IPv4Network("\(IPv4Address(value: address.value & mask))/\(prefixLength)")
        }
    }

    /// What the box calls itself; nil: `provisioner`.
    package var hostName: String?
    package var interfaces: [Interface]
    /// Where to ask for the time; empty: whom DHCP names.
    package var timeServers: [String]
}
