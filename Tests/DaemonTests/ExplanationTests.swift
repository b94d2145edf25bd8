import Artifacts
import Boot
import Site
import TestSupport
import Testing

@testable import Daemon

@Suite struct ExplanationTests {
    static let fixture = SiteFixture(
        machines: [
            .init(
                name: "hv01", mac: "52:54:00:20:99:21", address: "10.20.99.21", assignment: "{profile: p, boot: once}")
        ],
        profiles: ["p: {kernel: \"os:1/linux\", initrd: [\"os:1/linux\"], answer: \"os:1/answer\"}"])

    @Test func saysWhoWhatAndWhy() throws {
        let site = try #require(Site.parse(Array(Self.fixture.yaml.utf8)).site)
        let request = BootRequest(fields: ["mac": "525400209921", "arch": "x86_64"], address: nil)
        let decision = BootDecider(site: site, releases: ReleaseIndex(), installations: NoInstallations()).decide(
            request)
        let text = Explanation(decision: decision, request: request, site: site, httpPort: 8080).text
        #expect(text.contains("machine    mac 52:54:00:20:99:21, arch x86_64"))
        #expect(text.contains("decision   wait, ask again every 10 s"))
        #expect(text.contains("os:1 is not published"))
        #expect(text.contains("http://pxe.dvntm.deevnet.net:8080/ipxe/script"))
    }

    @Test func missingFilesAreToldOnceForEachHost() throws {
        let site = try #require(Site.parse(Array(Self.fixture.yaml.utf8)).site)
        #expect(
            MissingArtifacts.find(in: site, releases: ReleaseIndex(), archives: NoArchives())
                == ["profile p of host hv01: os:1 is not published: push it, or correct the name"])
    }
}
