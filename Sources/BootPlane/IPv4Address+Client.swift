internal import NIOCore
internal import Site

extension IPv4Address {
    /// A client's address as a socket tells it: an IPv4 client of an IPv6 socket comes as `::ffff:10.0.0.1`
    /// (RFC 4291 section 2.5.5.2).
    init?(client text: String) { self.init(text.hasPrefix("::ffff:") ? String(text.dropFirst(7)) : text) }

    /// The same without a text between.
    init?(client address: SocketAddress) { self.init(client: ClientAddress(address)) }

    init?(client address: ClientAddress) {
        guard let value = address.ipv4 else { return nil }
        self.init(value: value)
    }
}
