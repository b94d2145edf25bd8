import Appliance
import ConfigurationFile
import Foundation
import Site
import Testing

@Suite struct NetworkFileTests {
    @Test func readsWhatItSays() throws {
        let file = try #require(Box.parse(Box.network).file)
        #expect(file.hostName == "provisioner-01")
        #expect(file.interfaces.map(\.name) == ["lan", "wan"])
        #expect(file.interfaces.last?.addressing == .dhcp)
        #expect(file.timeServers == ["pool.ntp.org", "10.0.0.1"])
        guard case .fixed(let fixed)? = file.interfaces.first?.addressing else {
            Issue.record("lan has a fixed address")
            return
        }
        #expect("\(fixed.address)/\(fixed.prefixLength)" == "10.20.99.1/24")
        #expect(fixed.resolvers.map(\.description) == ["9.9.9.9"])
    }

    /// Each with a word of its message, and the line it points at.
    static let mistakes: [(change: (String, String), code: String, line: Int, says: String)] = [
        (("provisioner.network/1", "provisioner.network/9"), "V01", 1, "this version reads"),
        (("hostname: provisioner-01", "hostname: Not_A_Name"), "N01", 2, "lower-case"),
        (("hostname:", "hostnmae:"), "V01", 2, "did you mean 'hostname'"),
        (("52:54:00:12:34:57", "52:54:00:99:99:99"), "N03", 5, "it has 52:54:00:12:34:56 (enp1s0, up)"),
        (("52:54:00:12:34:57", "52:54:00:12:34:56"), "N03", 5, "'lan' already"),
        (("52:54:00:12:34:57", "nonsense"), "N03", 5, "aa:bb:cc:dd:ee:ff"),
        (("mac: \"52:54:00:12:34:57\", ", ""), "N03", 5, "'interfaces.wan.mac' is missing"),
        ((", dhcp: true", ""), "N04", 5, "has no address"),
        (("dhcp: true", "dhcp: true, address: 10.0.0.2/24"), "N04", 5, "remove one of the two"),
        (("dhcp: true", "dhcp: yes"), "V01", 5, "true or false"),
        (("10.20.99.1/24,", "10.20.99.1,"), "N04", 4, "prefix length"),
        (("10.20.99.1/24,", "10.20.99.0/24,"), "N04", 4, "the network itself"),
        (("10.20.99.1/24,", "10.20.99.255/24,"), "N04", 4, "broadcast"),
        (("10.20.99.1/24,", "127.0.0.1/8,"), "N04", 4, "no machine's address"),
        (("10.20.99.1/24,", "10.20.99.1/24, gateway: 10.20.99.1,"), "N04", 4, "this machine itself"),
        (("10.20.99.1/24,", "10.20.99.1/24, gateway: 10.20.98.1,"), "N04", 4, "is not in 10.20.99.0/24"),
        (("dhcp: true", "address: 10.20.99.7/25"), "N04", 5, "overlaps 10.20.99.0/24 of 'lan'"),
        (("[9.9.9.9]", "[nine]"), "N04", 4, "not an IPv4 address"),
        (("10.0.0.1]", "\"a b\"]"), "N05", 6, "neither a name nor an address"),
        (("  wan:", "  WAN:"), "N01", 5, "names are"),
        (("interfaces:", "  - :"), "V01", 3, "YAML"),
    ]

    @Test(arguments: mistakes.indices)
    func refusesWithLineRuleAndFix(_ index: Int) throws {
        let mistake = Self.mistakes[index]
        let text = Box.network.replacing(mistake.change.0, with: mistake.change.1)
        #expect(text != Box.network)
        let reading = Box.parse(text)
        #expect(reading.file == nil)
        let finding = reading.diagnostics.first { $0.code == mistake.code && $0.message.contains(mistake.says) }
        #expect(finding?.position.line == mistake.line, "\(reading.diagnostics)")
    }

    @Test func aFileThatNamesNoCardIsRefused() {
        let reading = Box.parse("schema: provisioner.network/1\ninterfaces: {}\n")
        #expect(reading.file == nil)
        #expect(reading.diagnostics.map(\.code) == ["N02"])
    }

    @Test func neverCrashesOnDamage() {
        var generator = SystemRandomNumberGenerator()
        let bytes = Array(Box.network.utf8)
        for _ in 0..<2000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                damaged[Int.random(in: 0..<damaged.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            damaged = Array(damaged.prefix(Int.random(in: 0...damaged.count, using: &generator)))
            let reading = NetworkFile.parse(damaged, links: Box.links)
            #expect(reading.file != nil || !reading.diagnostics.isEmpty)
        }
    }

    /// What lies on the partition PROVISION, as it is and with its optional lines.
    @Test func theExampleThatShipsIsValid() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../image/boot-partition/network.yaml.example")
        let text = try String(contentsOf: file, encoding: .utf8)
        let links = ["c8:ff:bf:06:5a:5a", "1c:79:2d:fc:5f:d6"].compactMap { MACAddress($0) }
            .map { NetworkLink(name: "eth", mac: $0, hasCarrier: true, addresses: []) }
        let whole = text.replacing("    # gateway", with: "    gateway").replacing("    # dns", with: "    dns")
            .replacing("  # wan", with: "  wan").replacing("  #   ", with: "    ").replacing("# ntp", with: "ntp")
        for candidate in [text, whole, whole.replacing("\n", with: "\r\n")] {
            let reading = NetworkFile.parse(Array(candidate.utf8), links: links)
            #expect(reading.diagnostics.isEmpty, "\(reading.diagnostics)")
        }
        #expect(NetworkFile.parse(Array(whole.utf8), links: links).file?.interfaces.count == 2)
    }

    @Test func rendersForNetworkd() throws {
        let file = try #require(Box.parse(Box.network).file)
        let files = NetworkdConfiguration.files(for: file)
        #expect(files.map(\.name) == ["10-lan.network", "10-wan.network"])
        #expect(
            files.first?.text == """
                [Match]
                PermanentMACAddress=52:54:00:12:34:56

                [Link]
                RequiredForOnline=no

                [Network]
                NTP=pool.ntp.org
                NTP=10.0.0.1
                Address=10.20.99.1/24
                LinkLocalAddressing=ipv6
                IPv6AcceptRA=no
                ConfigureWithoutCarrier=yes
                DNS=9.9.9.9

                """)
        #expect(files.last?.text.contains("DHCP=ipv4\n") == true)
    }
}
