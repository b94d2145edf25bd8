import Artifacts
import Boot
import ConfigurationFile
import Foundation
import Site
import Testing

/// What the GRUB of a site is told.
@Suite struct GRUBConfigurationTests {
    private func configuration(
        _ profile: String, arguments: String? = nil, mac: String = "52:54:00:00:01:01", port: Int = 80
    ) throws -> String {
        var lines = LabSite.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let place = try #require(lines.firstIndex { $0.hasPrefix("    args: [") })
        if let arguments { lines[place] = "    args: [\(arguments)]" }
        lines.insert(profile, at: place)
        let reading = Site.parse(Array(lines.joined(separator: "\n").utf8))
        let site = try #require(reading.site, "\(reading.diagnostics)")
        let decision = BootDecider(
            site: site, releases: try LabSite.releases(of: site), installations: NoInstallations()
        ).decide(BootRequest(mac: try LabSite.mac(mac)))
        let names = try #require(BootNames(site: site, substrate: "lab", mode: .router, port: port))
        let expansion = try decision.plan.map { plan in
            ProfileExpansion(names: names, host: try #require(site.host(plan.host)), mac: nil, token: "TOKEN")
        }
        return try GRUBRenderer(port: port).configuration(decision, expansion: expansion)
    }

    @Test func nothingBootsUnlessEveryFileBeforeItWasTaken() throws {
        let text = try configuration(
            "    verify: grub\n    overlay: {x: {from: \"answers:1/preseed.cfg\"}}", port: 8080)
        let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }
        let first = try #require(lines.firstIndex { $0.hasPrefix("if linux ") })
        let server = "(http,$site_server:8080)"
        #expect(lines[first].hasPrefix("if linux \(server)/grub/files/debian:12.11/install.amd/vmlinuz '"))
        #expect(lines[first].hasSuffix("; then"))
        #expect(
            lines[first + 1]
                == "if initrd \(server)/grub/files/debian:12.11/install.amd/initrd.gz \(server)/hosts/TOKEN/overlay.cpio; then"
        )
        #expect(lines[first + 2] == "boot" && lines.count { $0 == "boot" } == 1)
        #expect(lines[first + 3] == "fi" && lines[first + 4] == "fi")
    }

    @Test(arguments: [#"'a"b'"#, "'a''b'", #"'a\b'"#])
    func anArgumentThatGRUBWouldChangeIsRefused(argument: String) throws {
        #expect(throws: BootError.self) { _ = try configuration("    verify: grub", arguments: argument) }
    }

    @Test(arguments: ["a=$(b)", "a;b", "a&&b", "$c", "a#b", "{a}", "a|b", "`a`"])
    func anArgumentIsOneWordToGRUB(argument: String) throws {
        let text = try configuration("    verify: grub", arguments: "'\(argument)'")
        #expect(text.contains(" '\(argument)'; then\n"), "\(text)")
    }

    @Test func anotherProfileIsNotBooted() throws {
        #expect(throws: BootError.self) { _ = try configuration("    verify: firmware") }
        #expect(throws: BootError.self) { _ = try configuration("") }
    }

    /// A local disk is not this site's to sign, but what comes after it is again.
    @Test func theCheckIsOnAgainAfterALocalDisk() throws {
        let local = try configuration("", mac: "52:54:00:99:99:99")
        let off = try #require(local.range(of: "set check_signatures=no\n"))
        let on = try #require(local.range(of: "\nset check_signatures=enforce\n"))
        #expect(off.upperBound < on.lowerBound && local.hasSuffix("\nexit\n"))
        let first = GRUBRenderer(port: 80).firstConfiguration()
        let loop = try #require(first.range(of: "while true; do\n"))
        let set = try #require(first.range(of: "set check_signatures=enforce\n"))
        let load = try #require(first.range(of: "source (http,$site_server)/grub/$site_mac.cfg\n"))
        #expect(loop.upperBound < set.lowerBound && set.upperBound < load.lowerBound)
    }
}
