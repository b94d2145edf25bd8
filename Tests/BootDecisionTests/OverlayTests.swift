import Artifacts
import Boot
import ConfigurationFile
import Site
import Testing

/// Files that a profile lays over a machine's initrd.
@Suite struct OverlayTests {
    private func site(_ overlay: String) throws -> Site {
        let text = LabSite.text.replacing(
            "    answer: answers:1/preseed.cfg\n", with: "    answer: answers:1/preseed.cfg\n    overlay: \(overlay)\n")
        let reading = Site.parse(Array(text.utf8))
        return try #require(reading.site, "\(reading.diagnostics)")
    }

    @Test func itIsTheLastInitrdAtTheMachinesOwnURL() throws {
        let site = try site("{etc/x: {from: \"answers:1/preseed.cfg\", fill: true, mode: \"0600\"}}")
        let decider = BootDecider(
            site: site, releases: try LabSite.releases(of: site), installations: NoInstallations())
        let decision = decider.decide(BootRequest(mac: try LabSite.mac("52:54:00:00:01:01")))
        let plan = try #require(decision.plan)
        #expect(plan.overlay.map(\.entry.path.description) == ["etc/x"])
        #expect(plan.overlay.first?.entry.mode == 0o600 && plan.overlay.first?.entry.isTemplate == true)
        let names = try #require(BootNames(site: site, substrate: "lab", mode: .router, port: 80))
        let host = try #require(site.host("hv01"))
        let expansion = ProfileExpansion(names: names, host: host, mac: nil, token: "TOKEN")
        let script = try IPXERenderer(names: names).script(decision, expansion: expansion)
        #expect(script.contains(" initrd=initrd0 initrd=initrd1 || goto failed\n"))
        #expect(script.contains("\ninitrd --name initrd1 \(names.perBoot("TOKEN"))/overlay.cpio || goto failed\n"))
    }

    @Test func aProfileThatIsVerifiedHasEveryWordOfItVerifiedBeforeItBoots() throws {
        let text = LabSite.text.replacing(
            "    answer: answers:1/preseed.cfg\n",
            with:
                "    answer: answers:1/preseed.cfg\n    verify: ipxe\n    overlay: {x: {from: \"answers:1/preseed.cfg\"}}\n"
        )
        let site = try #require(Site.parse(Array(text.utf8)).site)
        let decision = BootDecider(
            site: site, releases: try LabSite.releases(of: site), installations: NoInstallations()
        ).decide(BootRequest(mac: try LabSite.mac("52:54:00:00:01:01")))
        let names = try #require(BootNames(site: site, substrate: "lab", mode: .router, port: 80))
        let host = try #require(site.host("hv01"))
        let expansion = ProfileExpansion(names: names, host: host, mac: nil, token: "TOKEN")
        let script = try IPXERenderer(names: names).script(decision, expansion: expansion)
        let lines = script.split(separator: "\n").map(String.init)
        let commands = lines.filter { ["kernel", "initrd", "imgverify", "boot"].contains($0.prefix { $0 != " " }) }
        #expect(
            commands.map { $0.split(separator: " ").prefix(3).joined(separator: " ") } == [
                "kernel --name linux",
                "imgverify linux http://artifacts.lab.example.net/signatures/debian:12.11/install.amd/vmlinuz",
                "initrd --name initrd0",
                "imgverify initrd0 http://artifacts.lab.example.net/signatures/debian:12.11/install.amd/initrd.gz",
                "initrd --name initrd1", "imgverify initrd1 \(names.perBoot("TOKEN"))/overlay.cpio.cms", "boot || goto",
            ])
        #expect(lines.filter { $0.hasPrefix("imgverify") }.allSatisfy { $0.hasSuffix(" || goto unverified") })
        #expect(lines.contains(":unverified"))
    }

    @Test func aFileOfItThatIsNotPublishedHoldsTheMachine() throws {
        let site = try site("{etc/x: {from: \"none:1/x\"}}")
        let releases = try LabSite.releases(of: LabSite.site())
        let decision = BootDecider(site: site, releases: releases, installations: NoInstallations())
            .decide(BootRequest(mac: try LabSite.mac("52:54:00:00:01:01")))
        #expect(decision.reason == "profile debian cannot be served: none:1 is not published")
        #expect(site.artifactsInUse.contains(try Reference("none:1")))
    }

    @Test(arguments: [
        ("{../x: {from: \"a:1/x\"}}", "'..' is not allowed"), ("{x: {from: nothing}}", "nothing"),
        ("{x: {from: \"a:1/x\", mode: \"0999\"}}", "must be permission bits"), ("{x: {}}", "is missing"),
        ("{x: {from: \"a:1/x\", fil: true}}", "did you mean 'fill'?"),
    ])
    func mistakesAreReported(_ overlay: String, _ words: String) {
        let text = LabSite.text.replacing(
            "    answer: answers:1/preseed.cfg\n", with: "    answer: answers:1/preseed.cfg\n    overlay: \(overlay)\n")
        let errors = Site.parse(Array(text.utf8)).diagnostics.filter { $0.severity == .error }
        #expect(errors.contains { $0.message.contains(words) }, "\(errors)")
    }
}
