import Appliance
import Site

/// A box with two cards, for tests.
enum Box {
    static let lan = NetworkLink(
        name: "enp1s0", mac: MACAddress(value: 0x5254_0012_3456), hasCarrier: true, addresses: ["10.20.99.1/24"])
    static let wan = NetworkLink(
        name: "enp2s0", mac: MACAddress(value: 0x5254_0012_3457), hasCarrier: nil, addresses: [])
    static let links = [lan, wan]

    static let network = """
        schema: provisioner.network/1
        hostname: provisioner-01
        interfaces:
          lan: {mac: "52:54:00:12:34:56", address: 10.20.99.1/24, dns: [9.9.9.9]}
          wan: {mac: "52:54:00:12:34:57", dhcp: true}
        ntp: [pool.ntp.org, 10.0.0.1]

        """

    static let site = "schema: provisioner.site/1\nroot_domain: example.net\n"

    static func parse(_ text: String) -> NetworkReading { NetworkFile.parse(Array(text.utf8), links: links) }

    static func partition(_ files: [String: String]) -> BootPartition {
        BootPartition(files: files.mapValues { .bytes(Array($0.utf8)) })
    }
}
