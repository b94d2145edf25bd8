import ConfigurationFile
import Fixtures
import Site
import Testing

/// What the example derives for its substrates, literally as the facts list it ("Derived for dvntm").
@Suite struct DerivedRecordTests {
    private static func view(_ substrate: String, _ mode: AuthorityMode) throws -> SubstrateView {
        let site = try #require(Site.parse(ExampleSite.bytes).site)
        return try #require(SubstrateView(site: site, substrate: substrate, mode: mode))
    }

    /// `NAME ADDRESS` and `NAME -> NAME`, without the root domain.
    private static func lines(_ view: SubstrateView) -> [String] {
        view.records.map { record in
            switch record.value {
            case .address(let address): "\(record.name) \(address)"
            case .alias(let target): "\(record.name) -> \(target)"
            }
        }.map { $0.replacing(".deevnet.net", with: "") }
    }

    private static let commonToBothModes: Set = [
        "provisioner-01-dvnt.mgmt 10.10.99.95", "hv01.dvntm 10.20.99.21", "hv01-mgmt.dvntm 10.20.99.21",
        "hv01-ipmi.dvntm 10.20.99.41", "pi01.dvntm 10.20.30.11", "artifacts.dvntm -> artifacts.mgmt",
        "pxe.dvntm -> pxe.mgmt", "tftp.dvntm -> tftp.mgmt", "artifacts.mgmt -> provisioner-01-dvntm.mgmt",
        "pxe.mgmt -> provisioner-01-dvntm.mgmt", "tftp.mgmt -> provisioner-01-dvntm.mgmt",
        "console.mgmt -> provisioner-01-dvntm.mgmt", "pve.dvntm -> hv01.dvntm", "sdr.dvntm -> pi01.dvntm",
    ]

    @Test func derivesRouterMode() throws {
        let lines = Self.lines(try Self.view("dvntm", .router))
        #expect(
            Set(lines)
                == Self.commonToBothModes.union([
                    "provisioner-01.mgmt 10.20.99.95", "provisioner-01-dvntm.mgmt 10.20.99.95",
                    "core-rt02.dvntm 10.20.99.1",
                    "gateway.dvntm -> core-rt02.dvntm", "dns.dvntm -> core-rt02.dvntm", "dhcp.dvntm -> core-rt02.dvntm",
                ]))
        #expect(lines.count == Set(lines).count)
    }

    @Test func derivesProvisionerMode() throws {
        let lines = Self.lines(try Self.view("dvntm", .provisioner))
        #expect(
            Set(lines)
                == Self.commonToBothModes.union([
                    "provisioner-01.mgmt 10.20.99.1", "provisioner-01-dvntm.mgmt 10.20.99.1",
                    "core-rt02.dvntm 10.20.99.2",
                    "gateway.dvntm -> provisioner-01-dvntm.mgmt", "dns.dvntm -> provisioner-01-dvntm.mgmt",
                    "dhcp.dvntm -> provisioner-01-dvntm.mgmt",
                ]))
        #expect(lines.count == Set(lines).count)
    }

    /// The first name of an address is the one that its reverse record gives.
    @Test func putsTheHostsOwnNameFirst() throws {
        let lines = Self.lines(try Self.view("dvntm", .router))
        let own = try #require(lines.firstIndex(of: "hv01.dvntm 10.20.99.21"))
        #expect(try own < #require(lines.firstIndex(of: "hv01-mgmt.dvntm 10.20.99.21")))
        #expect(lines.first == "provisioner-01-dvntm.mgmt 10.20.99.95")
        #expect(lines.drop { !$0.contains("->") }.allSatisfy { $0.contains("->") }, "addresses come before aliases")
    }

    @Test func servesTheManagementZoneOfEachSubstrateByItself() throws {
        let lines = Self.lines(try Self.view("dvnt", .router))
        #expect(
            Set(lines) == [
                "provisioner-01-dvnt.mgmt 10.10.99.95", "provisioner-01.mgmt 10.10.99.95",
                "provisioner-01-dvntm.mgmt 10.20.99.1",
                "artifacts.dvnt -> artifacts.mgmt", "pxe.dvnt -> pxe.mgmt", "tftp.dvnt -> tftp.mgmt",
                "artifacts.mgmt -> provisioner-01-dvnt.mgmt", "pxe.mgmt -> provisioner-01-dvnt.mgmt",
                "tftp.mgmt -> provisioner-01-dvnt.mgmt", "console.mgmt -> provisioner-01-dvnt.mgmt",
            ])
    }

    @Test func derivesTheSameRecordsEveryTime() throws {
        for mode in AuthorityMode.allCases {
            #expect(try Self.view("dvntm", mode).records == Self.view("dvntm", mode).records)
        }
    }

    @Test func reservesTheAddressesOfTheFile() throws {
        func lines(_ mode: AuthorityMode, _ segment: String) throws -> [String] {
            let view = try Self.view("dvntm", mode)
            return view.reservations(of: try #require(view.substrate.segment(segment))).map {
                "\($0.mac) \($0.address) \($0.hostName)"
            }
        }
        let hypervisor = ["d8:9e:f3:7d:94:c4 10.20.99.21 hv01", "02:de:20:01:00:21 10.20.99.41 hv01-ipmi"]
        #expect(try lines(.router, "management") == ["00:e0:4c:29:1e:50 10.20.99.1 core-rt02"] + hypervisor)
        #expect(try lines(.provisioner, "management") == ["00:e0:4c:29:1e:50 10.20.99.2 core-rt02"] + hypervisor)
        #expect(try lines(.router, "iot") == ["dc:a6:32:c3:b4:bc 10.20.30.11 pi01"])
        #expect(try lines(.router, "blackhole").isEmpty)
    }

    @Test func worksWithoutAManagementZone() throws {
        let text = BaseSite.text.replacing(
            "management: {zone: mgmt.example.net, ttl: 60}\n", with: "management: {zone: null}\n")
        let site = try #require(BaseSite.parse(text).site)
        let view = try #require(SubstrateView(site: site, substrate: "lab", mode: .provisioner))
        let lines = Self.lines(view).map { $0.replacing(".lab.example.net", with: "") }
        #expect(
            Set(lines) == [
                "boot-ph01 10.20.99.1", "core-rt01 10.20.99.2", "hv01 10.20.99.21", "artifacts -> boot-ph01",
                "pxe -> boot-ph01",
                "dns -> boot-ph01",
            ])
        #expect(view.zones.map(\.description) == ["lab.example.net"])
    }

    @Test func refusesNamesThatWouldBeTwoThings() {
        let text = BaseSite.text.replacing("  dns: {", with: "  hv01: {")
        let errors = BaseSite.parse(text).diagnostics.filter { $0.severity == .error }
        #expect(errors.map(\.code) == ["V12", "V12"])
        #expect(errors.allSatisfy { $0.message.contains("hv01.lab.example.net would be two things") })
    }

    @Test func hasNoViewOfAnUnknownSubstrate() throws {
        let site = try #require(Site.parse(ExampleSite.bytes).site)
        #expect(SubstrateView(site: site, substrate: "gone", mode: .router) == nil)
    }
}
