internal import Site

/// What the process that answers DNS and DHCP tells the one that keeps the timelines. One JSON object a line, in one
/// direction: the process that may change the network reads nothing from the one that talks to machines.
package struct AuthorityReport: Codable, Hashable, Sendable {
    /// How a substrate's DNS and DHCP are.
    package struct State: Codable, Hashable, Sendable {
        package var substrate: String
        /// In words: `answering DNS and DHCP on eth0`, or what is missing.
        package var text: String
        package var isAnswering: Bool

        package init(substrate: String, text: String, isAnswering: Bool) {
            self.substrate = substrate
            self.text = text
            self.isAnswering = isAnswering
        }
    }

    /// A DHCP exchange: an address that was given out, or a machine that got none.
    package struct Exchange: Codable, Hashable, Sendable {
        package var kind: String
        package var mac: String
        package var address: String?
        package var vendorClass: String?
        package var userClass: String?
        package var note: String

        package init(_ observation: DHCPObservation) {
            kind = observation.kind.rawValue
            mac = observation.mac.description
            address = observation.address?.description
            vendorClass = observation.vendorClass
            userClass = observation.userClass
            note = observation.note
        }
    }

    /// Every substrate that is looked after; nil when the message says nothing of them.
    package var states: [State]?
    package var exchange: Exchange?

    package init(states: [State]) { self.states = states }
    package init(exchange: Exchange) { self.exchange = exchange }
}
