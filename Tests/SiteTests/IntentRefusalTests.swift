import ConfigurationFile
import Testing

/// V42, V43 and V50 to V53: services, profiles and assignments.
@Suite struct IntentRefusalTests {
    @Test(arguments: [
        BadSite(
            "substrate of an interface", "V42", "did you mean 'lab'", replacing: "at: lab/management, ip: 10.20.99.21",
            with: "▶at: lap/management, ip: 10.20.99.21"),
        BadSite(
            "segment of an interface", "V42", "did you mean 'management'",
            replacing: "at: lab/management, ip: 10.20.99.21", with: "▶at: lab/managment, ip: 10.20.99.21"),
        BadSite(
            "place without a slash", "V42", "SUBSTRATE/SEGMENT", replacing: "hosts:\n",
            with: "hosts:\n  sw01: {plane: lab, interfaces: {m: {mac: \"52:54:00:00:00:09\", ▶at: lab}}}\n"),
        BadSite("plane", "V42", "did you mean 'lab'", replacing: "hosts:\n", with: "hosts:\n  sw01: {▶plane: lap}\n"),
        BadSite(
            "zone of a service", "V42", "did you mean 'lab'", replacing: "zone: lab, provider",
            with: "▶zone: lap, provider"),
        BadSite("provider", "V42", "did you mean 'hv01'", replacing: "provider: authority", with: "▶provider: hv02"),
        BadSite(
            "substrate of a service", "V42", "did you mean 'lab'", replacing: "provider: authority",
            with: "provider: authority, expose_in: [▶lap]"),
        BadSite("profile", "V42", "did you mean 'debian'", replacing: "profile: debian", with: "▶profile: debain"),
        BadSite(
            "host", "V42", "did you mean 'hv01'", replacing: "assignments:\n",
            with: "assignments:\n  ▶hv02: {boot: local}\n"),
        BadSite(
            "authority of the management zone", "V42", "name a host", replacing: "services:\n",
            with: "services:\n  ntp: {zone: management, ▶provider: authority}\n"),
    ])
    func reportsWhatDoesNotExist(_ site: BadSite) throws { try site.check() }

    @Test(arguments: [
        BadSite(
            "how often is not said", "V43", "say 'once'", replacing: "{profile: debian, boot: once}",
            with: "▶{profile: debian}"),
        BadSite("unknown frequency", "V43", "'once', 'always', 'local'", replacing: "boot: once", with: "▶boot: twice"),
        BadSite(
            "nothing to boot", "V42", "name the profile", replacing: "{profile: debian, boot: once}",
            with: "▶{boot: once}"),
        BadSite(
            "disk image", "V42", "disk images", replacing: "profile: debian", with: "▶profile: pi",
            also: ["profiles:\n": "profiles:\n  pi: {image: \"pi:1/disk.raw\"}\n"]),
        BadSite(
            "host without a network", "V42", "no interface on a segment", replacing: "assignments:\n",
            with: "assignments:\n  ▶sw01: {profile: debian, boot: once}\n",
            also: ["hosts:\n": "hosts:\n  sw01: {plane: lab}\n"]),
        BadSite(
            "no name for scripts", "V50", "service 'pxe' has none there", replacing: "  hv01: {profile",
            with: "  ▶hv01: {profile", also: ["  pxe:": "  pxf:"]),
    ])
    func reportsAssignments(_ site: BadSite) throws { try site.check() }

    @Test(arguments: [
        BadSite(
            "boots nothing", "V42", "add 'kernel:", replacing: "profiles:\n", with: "profiles:\n  x: ▶{args: [a]}\n"),
        BadSite(
            "kernel and image", "V42", "either", replacing: "profiles:\n",
            with: "profiles:\n  x: {kernel: a:1/k, ▶image: a:1/i}\n"),
        BadSite(
            "kernel without a file", "V53", "NAME:TAG/PATH", replacing: "kernel: debian:12/linux",
            with: "▶kernel: debian:12"),
        BadSite(
            "kernel outside", "V53", "'..' is not allowed", replacing: "kernel: debian:12/linux",
            with: "▶kernel: debian:12/../linux"),
        BadSite(
            "initrd as a URL", "V53", "tag ''", replacing: #"["debian:12/initrd.gz"]"#,
            with: #"[▶"http://x/initrd.gz"]"#),
        BadSite(
            "answer as a local file", "V53", "names no file", replacing: "answer: debian-answers:1/preseed.cfg",
            with: "▶answer: /etc/preseed.cfg"),
    ])
    func reportsProfiles(_ site: BadSite) throws { try site.check() }

    @Test(arguments: [
        ("", "one argument"), ("a b", "without white space"), ("a\tb", "without white space"),
        ("a\u{a0}b", "without white space"),
        ("a\nb", "without white space"), ("a\u{1}b", "control"), ("a\u{7f}", "control"),
        ("url=http://10.20.99.1/x", "holds an IP address"), ("ip=10.20.99.9::10.20.99.1", "holds an IP address"),
        ("url=http://[fd00::1]/x", "holds an IP address"), ("${service.gone}", "'gone' does not exist"),
        ("${mac}", "unknown variable '${mac}'"), ("x=${net0/mac}", "unknown variable"), ("${}", "unknown variable"),
        ("${${host.name}}", "unknown variable"), ("x=${host.name", "is not closed"),
        ("x=${host.name}${", "is not closed"),
        ("x=${\u{301}host.name", "is not closed"), ("&&", "no loader"), ("||", "no loader"), (";", "no loader"),
        ("#", "no loader"), ("#x", "no loader"),
        ("#\u{301}x", "no loader"),
    ])
    func refusesArgument(_ argument: String, _ hint: String) throws {
        let quoted = argument.unicodeScalars.map {
            $0.isASCII && $0.value > 31 && $0.value < 127 ? String($0) : "\\U" + hex($0)
        }
        try BadSite(
            argument, "V50", hint, replacing: #""auto""#, with: #""auto", ▶"\#(quoted.joined())""#
        ).check()
    }

    @Test func refusesTheManagementZoneInArguments() throws {
        try BadSite(
            "management zone", "V51", "use ${service.NAME}", replacing: #""auto""#,
            with: #""auto", ▶"url=http://artifacts.mgmt.example.net/""#
        ).check()
    }

    /// The eight digits of YAML's `\U` escape.
    private func hex(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
