import Boot
import Fixtures
import Site
import Testing

/// Nothing that a site file or a machine says can become a command. iPXE splits at white space, knows `||`, `&&`, `;`
/// and `#` as words, and expands `${...}` first; all by bytes.
@Suite struct ScriptEscapingTests {
    private static func renderer() throws -> IPXERenderer {
        IPXERenderer(
            names: try #require(BootNames(site: try LabSite.site(), substrate: "lab", mode: .router, port: 80)))
    }

    @Test(arguments: [
        ("a\nreboot", "a?reboot"), ("a\r\nreboot", "a??reboot"), ("a\u{0}b\u{1b}[2J\u{7f}", "a?b?[2J?"),
        ("a || reboot", "a ? reboot"), ("a && reboot", "a ? reboot"), ("a ; reboot", "a ? reboot"), ("|| x", "? x"),
        ("# hidden", "? hidden"), ("a #hidden", "a ?"), ("a#b", "a#b"), ("a;b a||b", "a;b a||b"),
        ("${net0/mac}", "?{net0/mac}"), ("$${x}", "$?{x}"), ("${${x}}", "?{?{x}}"), ("$ {x} $", "$ {x} $"),
        ("  a   b ", "a b"),
        ("", ""), ("a || \u{301}b", "a ? \u{301}b"), ("a \u{301}|| b", "a \u{301}|| b"), ("#\u{301}x", "?"),
        ("${\u{301}x}", "?{\u{301}x}"), ("a\t||\tb", "a?||?b"), ("é", "é"), ("@REASON@", "@REASON@"),
    ])
    func reasonsStayWords(_ reason: String, _ shown: String) throws {
        let script = try Self.renderer().refusal(reason)
        let expected = """
            #!ipxe
            # Refused: nothing is booted from the network.

            echo Provisioner: refused: \(shown)
            sleep 10
            exit 1

            """
        #expect(Array(script.utf8) == Array(expected.utf8), "\(script.debugDescription)")
    }

    @Test func reasonsStayWordsIn5000RandomTexts() throws {
        var random = SeededGenerator(seed: 99)
        let pieces = [
            "||", "&&", ";", "#", "$", "{", "}", "${", " ", "\n", "\r", "\t", "\u{0}", "\u{301}", "\u{200d}", "a", "@",
        ]
        let renderer = try Self.renderer()
        for _ in 0..<5000 {
            let reason = (0..<12).map { _ in pieces.randomElement(using: &random) ?? "a" }.joined()
            let lines = Array(renderer.refusal(reason).utf8).split(separator: 10, omittingEmptySubsequences: false)
            #expect(lines.count == 7)
            let words = lines[3].split(separator: 32).map { String(decoding: $0, as: UTF8.self) }
            #expect(words.starts(with: ["echo", "Provisioner:", "refused:"]))
            #expect(words.allSatisfy { !["||", "&&", ";"].contains($0) && $0.utf8.first != UInt8(ascii: "#") })
            #expect(words.allSatisfy { !$0.unicodeScalars.contains("${".unicodeScalars) })
            #expect(lines[3].allSatisfy { $0 >= 32 && $0 != 127 })
        }
    }

    /// The site file's rules refuse these already (V50); the renderer must not rely on that.
    @Test(arguments: [
        "", "a b", "a\tb", "a\nreboot", "a\r", "\u{0}", "a\u{7f}", "||", "&&", ";", "#", "#x", "#\u{301}x",
        "${net0/mac}",
        "a=${x", "${\u{301}x}", "a || reboot", "a \u{301}b",
    ])
    func argumentsThatAreNoWordAreNotRendered(_ argument: String) throws {
        let error = try #require(throws: BootError.self) { try Self.script(arguments: ["quiet", argument]) }
        #expect(error.message.contains("of profile rescue cannot be written"))
    }

    @Test(arguments: [
        "a;b", "a||b", "a#b", "$x", "{x}", "console=ttyS0,115200n8", "é", "a=\"b\"", "'x'", "\\", "%20", "@KERNEL@",
    ])
    func argumentsThatAreWordsAreRenderedAsTheyAre(_ argument: String) throws {
        let script = try Self.script(arguments: ["quiet", argument])
        #expect(script.contains("/rescue:1/linux quiet \(argument) initrd=initrd0 initrd=initrd1 || goto failed\n"))
    }

    private static func script(arguments: [String]) throws -> String {
        var site = try LabSite.site()
        for index in site.profiles.indices { site.profiles[index].arguments = arguments }
        return try script(site)
    }

    private static func script(_ site: Site) throws -> String {
        let names = try #require(BootNames(site: site, substrate: "lab", mode: .router, port: 80))
        let host = try #require(site.host("hv02"))
        let decision = try BootDecider(site).decide(BootRequest(mac: host.interfaces.first?.mac))
        let expansion = ProfileExpansion(names: names, host: host, mac: nil, token: "TOKEN")
        return try IPXERenderer(names: names).script(decision, expansion: expansion)
    }

    @Test(arguments: [
        ("with space", "with%20space"), ("100%", "100%25"), ("what?", "what%3F"), ("a#b", "a%23b"),
        ("a&b;c|d", "a%26b%3Bc%7Cd"),
        ("${x}", "%24%7Bx%7D"), ("é", "%C3%A9"), ("a/b:c@d+e,f=g~h", "a/b:c@d+e,f=g~h"),
        ("|| reboot", "%7C%7C%20reboot"),
        ("%2e%2e", "%252e%252e"), ("@HOST@", "@HOST@"),
    ])
    func pathsArePercentEncoded(_ path: String, _ encoded: String) throws {
        let text = LabSite.text.replacing("kernel: rescue:1/linux", with: "kernel: \"rescue:1/\(path)\"")
        let script = try Self.script(try #require(Site.parse(Array(text.utf8)).site))
        #expect(
            script.contains(
                "\nkernel --name linux http://artifacts.lab.example.net/rescue:1/\(encoded) initrd=initrd0"),
            "\(script)")
    }

    @Test func missingFilesWithHostileNamesStayInTheReason() throws {
        let text = LabSite.text.replacing("kernel: rescue:1/linux", with: #"kernel: "rescue:1/x || reboot ${y}""#)
        let site = try #require(Site.parse(Array(text.utf8)).site)
        let decider = try BootDecider(site, without: ["rescue:1/x || reboot ${y}"])
        let decision = decider.decide(BootRequest(mac: try LabSite.mac("52:54:00:00:02:01")))
        let script = try Self.renderer().script(decision, expansion: nil)
        #expect(
            script.contains(
                "echo Provisioner: profile rescue cannot be served: rescue:1 has no file 'x ? reboot ?{y}'\n"))
    }

    @Test func aPlanNeedsItsHost() throws {
        let decision = try BootDecider(try LabSite.site()).decide(BootRequest(mac: LabSite.mac("52:54:00:00:02:01")))
        #expect(throws: BootError.self) { try Self.renderer().script(decision, expansion: nil) }
    }
}
