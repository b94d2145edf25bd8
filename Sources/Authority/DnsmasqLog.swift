package import Site

/// A DHCP exchange as dnsmasq reports it.
package struct DHCPObservation: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case discover = "DISCOVER"
        case offer = "OFFER"
        case request = "REQUEST"
        case acknowledge = "ACK"
        case refuse = "NAK"
    }

    package let kind: Kind
    package let mac: MACAddress
    package let address: IPv4Address?
    /// Option 60, where the same exchange had one.
    package let vendorClass: String?
    /// Option 77.
    package let userClass: String?
    /// What follows the addresses: the name that was given out, or why nothing was.
    package let note: String
}

/// Reads dnsmasq's log (`log-dhcp`), line by line. Lines of one exchange carry its transaction number; what earlier
/// lines said of the client is put into the observation.
package struct DnsmasqLog: Sendable {
    private struct Client: Sendable {
        var vendorClass: String?
        var userClass: String?
    }

    /// Only the newest exchanges are remembered.
    private static let limit = 256
    private var clients: [Substring: Client] = [:]
    private var order: [Substring] = []

    package init() {}

    /// Whether dnsmasq itself says that it answers: `dnsmasq[PID]: started, version 2.90`. Lines that quote a client begin
    /// with `dnsmasq-dhcp`, whatever the client wrote.
    package static func saysStarted(_ line: some StringProtocol) -> Bool {
        let words = line.split(separator: " ")
        guard let start = words.firstIndex(where: { $0.hasPrefix("dnsmasq") }),
            words[start].hasPrefix("dnsmasq[") || words[start] == "dnsmasq:"
        else { return false }
        return words[(start + 1)...].starts(with: ["started,", "version"])
    }

    /// nil for lines that tell nothing of a client.
    package mutating func read(_ line: some StringProtocol) -> DHCPObservation? {
        let words = line.split(separator: " ").map { Substring($0) }
        guard let start = words.firstIndex(where: { $0.hasPrefix("dnsmasq-dhcp") }), words.count > start + 2 else {
            return nil
        }
        let transaction = words[start + 1]
        guard transaction.allSatisfy(\.isNumber) else { return nil }
        let rest = words[(start + 2)...]
        switch (rest.first, rest.dropFirst().first) {
        case ("vendor", "class:"): note(transaction) { $0.vendorClass = rest.dropFirst(2).joined(separator: " ") }
        case ("user", "class:"): note(transaction) { $0.userClass = rest.dropFirst(2).joined(separator: " ") }
        default: return observation(rest, clients[transaction])
        }
        return nil
    }

    private mutating func note(_ transaction: Substring, _ change: (inout Client) -> Void) {
        if clients[transaction] == nil {
            order.append(transaction)
            if order.count > Self.limit { clients[order.removeFirst()] = nil }
        }
        change(&clients[transaction, default: Client()])
    }

    /// `DHCPACK(br0) 10.20.99.21 52:54:00:12:34:56 hv01`, the address missing in a DISCOVER.
    private func observation(_ words: ArraySlice<Substring>, _ client: Client?) -> DHCPObservation? {
        guard let verb = words.first, verb.hasPrefix("DHCP"), let open = verb.firstIndex(of: "("),
            let kind = DHCPObservation.Kind(rawValue: String(verb[..<open].dropFirst(4)))
        else { return nil }
        var rest = words.dropFirst()
        let address = rest.first.flatMap { IPv4Address($0) }
        if address != nil { rest = rest.dropFirst() }
        guard let mac = rest.first.flatMap({ MACAddress($0) }) else { return nil }
        return DHCPObservation(
            kind: kind, mac: mac, address: address, vendorClass: client?.vendorClass, userClass: client?.userClass,
            note: rest.dropFirst().joined(separator: " "))
    }
}

extension DHCPObservation {
    /// What another process reported; nil when it is no exchange.
    package init?(_ exchange: AuthorityReport.Exchange) {
        guard let kind = Kind(rawValue: exchange.kind), let mac = MACAddress(exchange.mac) else { return nil }
        self.init(
            kind: kind, mac: mac, address: exchange.address.flatMap { IPv4Address($0) },
            vendorClass: exchange.vendorClass, userClass: exchange.userClass, note: exchange.note)
    }
}
