import Artifacts
import ConfigurationFile
import Fixtures
import Site
import Testing
import Trust

/// The complete example of the site file's facts. It differs from it in two places only: its keys are real ones, and
/// `require_signed` asks for signatures of artifacts alone, because this version refuses to promise a check that it cannot
/// make.
@Suite struct ExampleSiteTests {
    @Test func hasNoErrorAndTheseNotes() {
        let notes = Site.parse(ExampleSite.bytes).diagnostics.map {
            "\($0.position.line):\($0.position.column) \($0.severity) \($0.code)"
        }
        #expect(
            notes == [
                "18:3 warning V02",  // provisioner-01: a role without a form
                "53:94 warning V53",  // ${answer.url} without an answer
                "55:3 info V41",  // a parked profile
                "60:12 info V90", "60:53 info V90",  // rules for changes of authority
                "62:9 info V90",  // out-of-band access
            ])
    }

    @Test func asksForSignaturesOfArtifactsByItsKeys() throws {
        let trust = try #require(Site.parse(ExampleSite.bytes).site).trust
        #expect(trust.keys.map(\.name) == ["rel-2026", "ops1"])
        #expect(trust.keys.map(\.format) == [.minisign, .ssh])
        // The last day itself is still good.
        #expect(trust.keys.first?.validBefore == TrustDate.seconds("2028-01-01"))
        #expect(trust.rules == [TrustRule(names: [.all], signers: ["rel-2026", "ops1"])])
    }

    @Test func promisesNoOtherSignatureChecks() throws {
        let text = ExampleSite.text.replacing("site: false", with: "site: true")
        let errors = BaseSite.parse(text).diagnostics.filter { $0.severity == .error }
        #expect(errors.map(\.code) == ["V61"])
        #expect(errors.first?.position == FilePosition(line: 66, column: 37))
    }

    @Test func holdsTheValuesOfTheFile() throws {
        let site = try #require(Site.parse(ExampleSite.bytes).site)
        #expect(site.management.zone?.description == "mgmt.deevnet.net")
        #expect(site.substrates.map(\.name) == ["dvnt", "dvntm"])
        #expect(site.substrate("dvntm")?.segments.map(\.name) == ["management", "iot", "blackhole"])
        #expect(site.substrate("dvntm")?.segment("iot")?.pool?.onlyIn == .router)
        #expect(site.hosts.map(\.name) == ["provisioner-01", "core-rt02", "hv01", "pi01"])
        #expect(site.hosts.map(\.form) == [.physical, .router, .hypervisor, .raspberryPi])
        #expect(site.host("provisioner-01")?.substrate == nil)
        #expect(site.host("hv01")?.primaryInterface?.name == "mgmt")
        #expect(
            site.services.map(\.name) == [
                "artifacts", "pxe", "tftp", "console", "gateway", "dns", "dhcp", "pve", "sdr",
            ])
        #expect(site.profile("proxmox-8")?.arguments == ["auto", "url=${answer.url}"])
        #expect(site.assignment(ofHost: "core-rt02")?.boot == .once)
        #expect(site.authority(of: "dvnt")?.declared == .router)
        #expect(site.authority(of: "dvnt")?.router?.host == nil)
        #expect(site.authority(of: "dvntm")?.router?.host == "core-rt02")
        #expect(site.policy.rebuildLease == 600)
        #expect(site.policy.upstreamDNS == nil)
    }

    @Test func rendersFindingsForEditors() throws {
        let finding = try #require(Site.parse(ExampleSite.bytes).diagnostics.first)
        #expect(
            finding.rendered(file: "site.yaml")
                == "site.yaml:18:3: warning: hosts.provisioner-01: names usually end in a form and two digits, "
                + "such as ph01 [V02]"
        )
    }
}
