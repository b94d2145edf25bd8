import ConfigurationFile
import Testing

/// V03, V10 and V11: what tells machines apart.
@Suite struct IdentityRefusalTests {
    private static let mac = #"mac: "52:54:00:00:00:01""#

    @Test(arguments: [
        BadSite(
            "upper case", "V03", #"write it as "52:54:00:00:00:ab""#, replacing: mac,
            with: #"▶mac: "52:54:00:00:00:AB""#),
        BadSite(
            "dashes", "V03", #"write it as "52:54:00:00:00:01""#, replacing: mac, with: #"▶mac: "52-54-00-00-00-01""#),
        BadSite("a word", "V03", "six lower-case pairs", replacing: mac, with: "▶mac: UNKNOWN"),
        BadSite("multicast", "V03", "multicast", replacing: mac, with: #"▶mac: "01:00:5e:00:00:01""#),
        BadSite("broadcast", "V03", "multicast", replacing: mac, with: #"▶mac: "ff:ff:ff:ff:ff:ff""#),
        BadSite("zero", "V03", "zero", replacing: mac, with: #"▶mac: "00:00:00:00:00:00""#),
        BadSite("absent", "V03", "is missing", replacing: "{\(mac), ", with: "▶{"),
        BadSite(
            "duplicate", "V10", "hosts.boot-ph01.interfaces.lab", replacing: #"mac: "52:54:00:00:00:03""#,
            with: "▶\(mac)"),
    ])
    func reportsHardwareAddresses(_ site: BadSite) throws { try site.check() }

    @Test(arguments: [
        BadSite(
            "UUID", "V10", "'boot-ph01' has the same UUID", replacing: "form: hv",
            with: "▶uuid: 4c4c4544-0000-0000-0000-000000000001",
            also: ["form: ph": "uuid: 4C4C4544-0000-0000-0000-000000000001"]),
        BadSite(
            "serial number", "V10", "'boot-ph01' has the same serial", replacing: "form: hv", with: "▶serial: ABC123",
            also: ["form: ph": "serial: ABC123"]),
    ])
    func reportsSharedIdentity(_ site: BadSite) throws { try site.check() }

    @Test(arguments: [
        BadSite(
            "duplicate", "V11", "hosts.boot-ph01.interfaces.lab", replacing: "ip: 10.20.99.21", with: "▶ip: 10.20.99.95"
        ),
        BadSite(
            "duplicate of a rebuild address", "V11", "hosts.core-rt01.interfaces.lan", replacing: "ip: 10.20.99.21",
            with: "▶ip: 10.20.99.2"),
    ])
    func reportsSharedAddresses(_ site: BadSite) throws { try site.check() }
}
