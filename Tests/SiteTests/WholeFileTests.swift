import Artifacts
import ConfigurationFile
import Fixtures
import Site
import Testing

/// Files that are wrong as a whole, and the revision of those that are right.
@Suite struct WholeFileTests {
    private static let minimal = "schema: provisioner.site/1\nroot_domain: example.net\n"

    private static func errors(_ bytes: [UInt8]) -> [String] {
        let reading = Site.parse(bytes)
        #expect(reading.site == nil)
        return reading.diagnostics.map { $0.rendered(file: "site.yaml") }
    }

    @Test func acceptsTheMinimalFile() throws {
        let reading = BaseSite.parse(Self.minimal)
        #expect(reading.diagnostics.isEmpty)
        let site = try #require(reading.site)
        #expect(site.rootDomain.description == "example.net")
        #expect(site.management.zone == nil && site.management.ttl == 60)
        #expect(site.substrates.isEmpty && site.hosts.isEmpty && site.services.isEmpty && site.profiles.isEmpty)
        #expect(site.policy.rebuildLease == 600 && site.policy.confirmWithin == 600)
        #expect(site.policy.requireUniqueDHCP && site.policy.upstreamDNS == nil)
    }

    @Test(arguments: ["\u{feff}", "# comment\n", "---\n", "%YAML 1.1\n---\n"])
    func acceptsWhatMayStandBeforeIt(_ head: String) {
        #expect(BaseSite.parse(head + Self.minimal).diagnostics.isEmpty)
    }

    @Test func acceptsWindowsLineEndings() {
        #expect(BaseSite.parse(BaseSite.text.replacing("\n", with: "\r\n")).site != nil)
    }

    @Test(arguments: ["", "\n", "# only a comment\n", "---\n", "~", "null\n"]) func refusesTheEmptyFile(_ text: String)
    {
        #expect(
            Self.errors(Array(text.utf8)) == [
                "site.yaml:1:1: error: the file is empty: it needs 'schema: provisioner.site/1' and 'root_domain' [V01]"
            ])
    }

    @Test(arguments: ["[]", "- a\n- b\n", "just words", "42", "\"schema: provisioner.site/1\""])
    func refusesWhatIsNoMapping(_ text: String) {
        #expect(
            Self.errors(Array(text.utf8)) == [
                "site.yaml:1:1: error: the file must be a mapping of keys to values [V01]"
            ])
    }

    @Test(
        arguments: [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff, 0xfe, 0x73, 0x00]]
            as [[UInt8]])
    func refusesBytesThatAreNoUTF8(_ tail: [UInt8]) {
        #expect(
            Self.errors(Array(Self.minimal.utf8) + tail) == ["site.yaml:1:1: error: the file is not UTF-8 text [V01]"])
    }

    @Test func refusesTooLargeAFile() {
        let large = [UInt8](repeating: UInt8(ascii: "#"), count: Site.maximumFileSize + 1)
        #expect(Self.errors(large) == ["site.yaml:1:1: error: the file is larger than 16 MiB [V01]"])
    }

    @Test(arguments: [
        ("schema: a\nroot_domain: b\nschema: c\n", "1:1: error: duplicate key 'schema': keep one of them"),
        ("hosts:\n  hv01: {}\n  hv02: {}\n  hv01: {}\n", "2:3: error: duplicate key 'hv01': keep one of them"),
        ("schema: a\n\troot_domain: b\n", "2:1: error: this is not YAML: "),
        ("schema: a\nhosts:\n  - a\n b: c\n", "4:2: error: this is not YAML: "),
        ("schema: [a\n", "2:1: error: this is not YAML: "),
        ("schema: \"a\n", "2:1: error: this is not YAML: "),
        ("schema: a: b\n", "1:10: error: this is not YAML: "),
        ("schema: *nothing\n", "1:9: error: this is not YAML: "),
        ("schema: a\nhosts: \u{1}\n", "2:8: error: this is not YAML: "),
        ("schema: a\nhosts: é\u{0}\n", "2:9: error: this is not YAML: "),
    ])
    func pointsAtWhatIsNoYAML(_ text: String, _ expected: String) {
        let errors = Self.errors(Array(text.utf8))
        #expect(errors.count == 1)
        #expect(errors.allSatisfy { $0.hasPrefix("site.yaml:" + expected) && $0.hasSuffix(" [V01]") }, "\(errors)")
    }

    @Test func refusesMoreThanOneDocument() {
        let errors = Self.errors(Array((Self.minimal + "---\n" + Self.minimal).utf8))
        #expect(errors.count == 1)
        #expect(errors.allSatisfy { $0.hasPrefix("site.yaml:3:1: error: this is not YAML: ") }, "\(errors)")
    }

    @Test func reportsWhatEverySiteNeeds() {
        #expect(
            Self.errors(Array("hosts: {}\n".utf8)) == [
                "site.yaml:1:1: error: 'schema' is missing: add for example 'schema: provisioner.site/1' [V01]",
                "site.yaml:1:1: error: 'root_domain' is missing: add for example 'root_domain: example.net' [V02]",
            ])
    }

    @Test func reportsEveryMistakeInTheOrderOfTheFile() {
        let text = BaseSite.text.replacing("form: ph", with: "form: xx").replacing("ttl: 60", with: "ttl: 0")
            .replacing("boot: once", with: "boot: twice").replacing("10.20.99.21", with: "10.20.98.21")
        let places = BaseSite.parse(text).diagnostics.filter { $0.severity == .error }.map {
            "\($0.code) \($0.position.line)"
        }
        #expect(places == ["V01 3", "V02 13", "V20 25", "V43 37"])
    }

    @Test func sameBytesGiveTheSameRevision() throws {
        let first = Site.parse(ExampleSite.bytes)
        let second = Site.parse(ExampleSite.bytes)
        #expect(first.diagnostics == second.diagnostics)
        #expect(try #require(first.site) == #require(second.site))
        #expect(try #require(first.site).revision == SHA256.digest(of: ExampleSite.bytes))
    }

    @Test func anotherByteGivesAnotherRevision() throws {
        let other = try #require(Site.parse(ExampleSite.bytes + Array("# note\n".utf8)).site)
        #expect(try #require(Site.parse(ExampleSite.bytes).site).revision != other.revision)
    }
}
