import Authority
import Site
import Testing

@Suite struct DnsmasqLogTests {
    /// `KIND MAC ADDRESS VENDOR USER NOTE` of every observation, `-` for what is absent.
    private static func read(_ lines: [String]) -> [String] {
        var log = DnsmasqLog()
        return lines.compactMap { log.read($0) }.map { seen in
            [
                seen.kind.rawValue, seen.mac.description, seen.address?.description ?? "-", seen.vendorClass ?? "-",
                seen.userClass ?? "-", seen.note.isEmpty ? "-" : seen.note,
            ].joined(separator: " ")
        }
    }

    @Test func putsAnExchangeTogether() {
        let seen = Self.read([
            "dnsmasq-dhcp: 1806331953 available DHCP range: 10.20.99.100 -- 10.20.99.200",
            "dnsmasq-dhcp: 1806331953 vendor class: PXEClient:Arch:00007:UNDI:003016",
            "dnsmasq-dhcp: 1806331953 user class: iPXE",
            "dnsmasq-dhcp: 1806331953 DHCPDISCOVER(br0) 52:54:00:12:34:56 ",
            "dnsmasq-dhcp: 1806331953 tags: ipxe, known, br0",
            "dnsmasq-dhcp: 1806331953 DHCPOFFER(br0) 10.20.99.21 52:54:00:12:34:56 ",
            "dnsmasq-dhcp: 1806331953 sent size:  4 option:  3 router  10.20.99.1",
            "dnsmasq-dhcp: 1806331953 DHCPREQUEST(br0) 10.20.99.21 52:54:00:12:34:56 ",
            "dnsmasq-dhcp: 1806331953 DHCPACK(br0) 10.20.99.21 52:54:00:12:34:56 hv01",
        ])
        #expect(
            seen == [
                "DISCOVER 52:54:00:12:34:56 - PXEClient:Arch:00007:UNDI:003016 iPXE -",
                "OFFER 52:54:00:12:34:56 10.20.99.21 PXEClient:Arch:00007:UNDI:003016 iPXE -",
                "REQUEST 52:54:00:12:34:56 10.20.99.21 PXEClient:Arch:00007:UNDI:003016 iPXE -",
                "ACK 52:54:00:12:34:56 10.20.99.21 PXEClient:Arch:00007:UNDI:003016 iPXE hv01",
            ])
    }

    @Test func keepsExchangesApart() {
        let seen = Self.read([
            "dnsmasq-dhcp: 1 vendor class: udhcp 1.35.0", "dnsmasq-dhcp: 2 user class: iPXE",
            "dnsmasq-dhcp: 2 DHCPDISCOVER(br0) 52:54:00:00:00:02",
            "dnsmasq-dhcp: 1 DHCPDISCOVER(br0) 52:54:00:00:00:01",
            "dnsmasq-dhcp: 3 DHCPDISCOVER(br0) 52:54:00:00:00:03",
        ])
        #expect(
            seen == [
                "DISCOVER 52:54:00:00:00:02 - - iPXE -", "DISCOVER 52:54:00:00:00:01 - udhcp 1.35.0 - -",
                "DISCOVER 52:54:00:00:00:03 - - - -",
            ])
    }

    @Test(arguments: [
        (
            "dnsmasq-dhcp: 7 DHCPNAK(br0) 10.20.99.21 52:54:00:00:00:01 wrong server-ID",
            "NAK 52:54:00:00:00:01 10.20.99.21 - - wrong server-ID"
        ),
        (
            "dnsmasq-dhcp: 7 DHCPDISCOVER(br0) 52:54:00:00:00:01 no address available",
            "DISCOVER 52:54:00:00:00:01 - - - no address available"
        ),
        (
            "dnsmasq-dhcp: 7 DHCPDISCOVER(br0) 10.0.0.5 52:54:00:00:00:01 ",
            "DISCOVER 52:54:00:00:00:01 10.0.0.5 - - -"
        ),
        (
            "Nov 23 17:00:00 box dnsmasq-dhcp[812]: 7 DHCPACK(eth0.99) 10.20.99.21 52:54:00:00:00:01 hv01",
            "ACK 52:54:00:00:00:01 10.20.99.21 - - hv01"
        ),
    ])
    func readsEveryForm(_ line: String, _ expected: String) {
        #expect(Self.read([line]) == [expected])
    }

    @Test(arguments: [
        "", " ", "dnsmasq-dhcp:", "dnsmasq-dhcp: 7", "dnsmasq-dhcp: 7 DHCPACK(br0)", "dnsmasq-dhcp: 7 DHCPACK",
        "dnsmasq-dhcp: DHCP, IP range 10.20.99.100 -- 10.20.99.200, lease time 10m",
        "dnsmasq[1]: started, version 2.90",
        "dnsmasq-dhcp: 7 DHCPACK(br0) 10.20.99.21", "dnsmasq-dhcp: 7 DHCPACK(br0) 10.20.99.21 UNKNOWN hv01",
        "dnsmasq-dhcp: 7 DHCPRELEASE(br0) 10.20.99.21 52:54:00:00:00:01",
        "dnsmasq-dhcp: 7 ACK(br0) 52:54:00:00:00:01 x",
        "dnsmasq-dhcp: x7 DHCPACK(br0) 10.20.99.21 52:54:00:00:00:01", "dnsmasq-dhcp: 7 vendor class:",
        "dnsmasq-dhcp: 7 client provides name: DHCPACK(br0) 10.20.99.21 52:54:00:00:00:01",
        "dnsmasq-tftp: sent /x to 10.20.99.21",
    ])
    func ignoresAllElse(_ line: String) {
        #expect(Self.read([line]).isEmpty)
    }

    /// What a client says of itself stands after the label of its own line and cannot look like another exchange.
    @Test func aClientsWordsAreNoExchange() {
        let forged = "x dnsmasq-dhcp: 9 DHCPACK(br0) 10.20.99.21 52:54:00:00:00:09 hv01"
        #expect(
            Self.read(["dnsmasq-dhcp: 7 vendor class: \(forged)", "dnsmasq-dhcp: 7 user class: \(forged)"]).isEmpty)
    }

    @Test func remembersTheNewestExchangesOnly() {
        let old = (0..<400).map { "dnsmasq-dhcp: \($0) vendor class: v\($0)" }
        let seen = Self.read(
            old + [
                "dnsmasq-dhcp: 0 DHCPDISCOVER(br0) 52:54:00:00:00:01",
                "dnsmasq-dhcp: 399 DHCPDISCOVER(br0) 52:54:00:00:00:02",
            ])
        #expect(seen == ["DISCOVER 52:54:00:00:00:01 - - - -", "DISCOVER 52:54:00:00:00:02 - v399 - -"])
    }

    @Test(arguments: [
        ("Nov 25 07:00:31 dnsmasq[123]: started, version 2.90 cachesize 150", true),
        ("dnsmasq: started, version 2.90 cachesize 150", true),
        ("Nov 25 07:00:31 dnsmasq-dhcp[123]: 42 vendor class: dnsmasq: started, version 2.90", false),
        ("Nov 25 07:00:31 dnsmasq-dhcp[123]: 42 vendor class: x: started, version 9", false), ("", false),
        ("dnsmasq[1]:", false),
    ])
    func onlyDnsmasqItselfSaysThatItStarted(line: String, expected: Bool) {
        #expect(DnsmasqLog.saysStarted(line) == expected)
    }
}
