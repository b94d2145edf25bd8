import Site
import Testing

@Suite struct IPv4Tests {
    @Test(arguments: ["0.0.0.0", "10.20.99.1", "127.0.0.1", "255.255.255.255", "1.2.3.4"])
    func addressRoundTrips(_ text: String) {
        #expect(IPv4Address(text)?.description == text)
    }

    @Test(arguments: [
        "", ".", "...", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.1.1.1", "1.1.1.1000", "-1.2.3.4",
        "+1.2.3.4",
        "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "1.2.3.x", "0x1.2.3.4", "1.2.3.4/24", "١.٢.٣.٤", "１.2.3.4",
        "1.2.3.4\u{301}",
        "16909060", "::1",
    ])
    func refusesAddress(_ text: String) {
        #expect(IPv4Address(text) == nil)
    }

    @Test(arguments: ["01.2.3.4", "1.02.3.4", "1.2.003.4", "1.2.3.00", "010.20.99.1"]) func refusesLeadingZeros(
        _ text: String
    ) {
        #expect(IPv4Address(text) == nil)
    }

    @Test func ordersByNumber() throws {
        let addresses = try ["10.0.0.10", "10.0.0.9", "9.255.255.255"].map { try #require(IPv4Address($0)) }
        #expect(addresses.sorted().map(\.description) == ["9.255.255.255", "10.0.0.9", "10.0.0.10"])
        #expect(try #require(IPv4Address("10.0.0.1")).value == 0x0a00_0001)
    }

    @Test(arguments: ["0.0.0.0/0", "10.0.0.0/8", "10.20.99.0/24", "10.20.99.128/25", "10.20.99.4/31", "10.20.99.7/32"])
    func networkRoundTrips(_ text: String) {
        #expect(IPv4Network(text)?.description == text)
    }

    @Test(arguments: [
        "", "/", "10.0.0.0", "10.0.0.0/", "/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
        "10.0.0.0/8/8",
        "10.0.0.1/24", "10.20.99.64/25", "10.0.0.0/255.0.0.0", "10.0.0.0/８", "10.0.0.00/8", "0.0.0.1/0",
    ])
    func refusesNetwork(_ text: String) {
        #expect(IPv4Network(text) == nil)
    }

    @Test(arguments: [
        ("10.20.99.0/24", "255.255.255.0", "10.20.99.255", "99.20.10.in-addr.arpa"),
        ("10.20.0.0/16", "255.255.0.0", "10.20.255.255", "20.10.in-addr.arpa"),
        ("10.20.96.0/20", "255.255.240.0", "10.20.111.255", "20.10.in-addr.arpa"),
        ("10.20.99.128/25", "255.255.255.128", "10.20.99.255", "99.20.10.in-addr.arpa"),
        ("0.0.0.0/0", "0.0.0.0", "255.255.255.255", "0.in-addr.arpa"),
        ("10.20.99.7/32", "255.255.255.255", "10.20.99.7", "7.99.20.10.in-addr.arpa"),
    ])
    func knowsItsParts(_ text: String, _ netmask: String, _ broadcast: String, _ reverse: String) throws {
        let network = try #require(IPv4Network(text))
        #expect(network.netmask.description == netmask)
        #expect(network.broadcast.description == broadcast)
        #expect(network.reverseZone == reverse)
    }

    @Test func knowsWhatItHolds() throws {
        let network = try #require(IPv4Network("10.20.99.0/24"))
        #expect(network.contains(try #require(IPv4Address("10.20.99.0"))))
        #expect(network.contains(try #require(IPv4Address("10.20.99.255"))))
        #expect(!network.contains(try #require(IPv4Address("10.20.98.255"))))
        #expect(!network.contains(try #require(IPv4Address("10.20.100.0"))))
        let wide = try #require(IPv4Network("10.20.0.0/16"))
        #expect(wide.contains(network) && !network.contains(wide))
        #expect(wide.overlaps(network) && network.overlaps(wide))
        #expect(!(try #require(IPv4Network("10.21.0.0/16"))).overlaps(wide))
        #expect(try #require(IPv4Network("0.0.0.0/0")).contains(wide))
    }
}
