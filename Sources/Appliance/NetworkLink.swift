package import Site

/// A network card of this machine, as the kernel tells it.
package struct NetworkLink: Hashable, Sendable {
    /// The kernel's name: `enp1s0`.
    package var name: String
    package var mac: MACAddress
    /// A cable with something at its other end; nil while the card is switched off, which cannot tell.
    package var hasCarrier: Bool?
    /// With prefix lengths: `10.20.99.1/24`, `fe80::1/64`.
    package var addresses: [String]

    package init(name: String, mac: MACAddress, hasCarrier: Bool?, addresses: [String]) {
        self.name = name
        self.mac = mac
        self.hasCarrier = hasCarrier
        self.addresses = addresses
    }

    /// `up`, `no link` or `off`.
    package var condition: String { hasCarrier.map { $0 ? "up" : "no link" } ?? "off" }
}
