import Boot
import Fixtures
import Site
import Testing

/// Names, never addresses.
@Suite struct BootNamesTests {
    private static func names(port: Int = 80) throws -> BootNames {
        try #require(BootNames(site: try LabSite.site(), substrate: "lab", mode: .router, port: port))
    }

    @Test func leavesPort80Out() throws {
        #expect(try Self.names().scriptsBase == "http://pxe.lab.example.net")
        #expect(try Self.names().artifactsBase == "http://artifacts.lab.example.net")
        #expect(try Self.names().stage1 == "http://pxe.lab.example.net/boot.ipxe")
        #expect(try Self.names().perBoot("T") == "http://pxe.lab.example.net/hosts/T")
    }

    @Test func showsEveryOtherPort() throws {
        #expect(try Self.names(port: 8080).scriptsBase == "http://pxe.lab.example.net:8080")
        #expect(try Self.names(port: 8080).artifactsBase == "http://artifacts.lab.example.net:8080")
        #expect(try Self.names(port: 8080).perBoot("T") == "http://pxe.lab.example.net:8080/hosts/T")
    }

    @Test func areMissingWhereTheSubstrateHasNoNameForAService() throws {
        let site = try LabSite.site()
        #expect(BootNames(site: site, substrate: "gone", mode: .router, port: 80) == nil)
        for service in ["pxe", "artifacts"] {
            var changed = site
            changed.services.removeAll { $0.name == service }
            #expect(BootNames(site: changed, substrate: "lab", mode: .router, port: 80) == nil)
        }
    }

    @Test func expandsEveryVariable() throws {
        let host = try #require(try LabSite.site().host("hv01"))
        let mac = try LabSite.mac("52:54:00:00:01:02")
        let expansion = ProfileExpansion(names: try Self.names(), host: host, mac: mac, token: "T")
        #expect(expansion.value("service.artifacts") == "artifacts.lab.example.net")
        #expect(expansion.value("host.name") == "hv01")
        #expect(expansion.value("host.fqdn") == "hv01.lab.example.net")
        #expect(expansion.value("host.mac") == "52:54:00:00:01:02")
        #expect(expansion.value("boot.url") == "http://pxe.lab.example.net/hosts/T")
        #expect(expansion.value("answer.url") == "http://pxe.lab.example.net/hosts/T/answer")
        for unknown in ["service.gone", "host", "host.uuid", "", "HOME", "service."] {
            #expect(expansion.value(unknown) == nil)
        }
        #expect(expansion.expand(VariableTemplate("echo ${HOME} ${host.name}")) == "echo ${HOME} hv01")
    }

    @Test func theHostsOwnMACStandsInForAMissingOne() throws {
        let host = try #require(try LabSite.site().host("hv01"))
        let expansion = ProfileExpansion(names: try Self.names(), host: host, mac: nil, token: "T")
        #expect(expansion.value("host.mac") == "52:54:00:00:01:01")
    }

    @Test func noScriptOfTheExampleSiteHoldsAnAddress() throws {
        let site = try #require(Site.parse(ExampleSite.bytes).site)
        var plans = 0
        for (substrate, mode) in [("dvnt", AuthorityMode.router), ("dvntm", .router), ("dvntm", .provisioner)] {
            let names = try #require(BootNames(site: site, substrate: substrate, mode: mode, port: 8080))
            let renderer = IPXERenderer(names: names)
            var scripts = [renderer.stage1Script()]
            for decider in [try BootDecider(site), try BootDecider(site, without: ["pve:8.4-1", "vyos:1.5/vmlinuz"])] {
                for request in try Self.requests(site) {
                    let decision = decider.decide(request)
                    if decision.plan != nil { plans += 1 }
                    let expansion = decision.host.flatMap { site.host($0) }.map {
                        ProfileExpansion(names: names, host: $0, mac: request.mac, token: "TOKEN")
                    }
                    scripts.append(try renderer.script(decision, expansion: expansion))
                }
            }
            for script in scripts {
                #expect(script.firstMatch(of: /[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|\[[0-9a-f:]*\]/) == nil, "\(script)")
            }
        }
        #expect(plans > 0)
    }

    /// Every machine of the site, one that is unknown and one that lies, from every segment.
    private static func requests(_ site: Site) throws -> [BootRequest] {
        let machines = site.hosts.flatMap(\.interfaces).map { BootRequest(mac: $0.mac) }
        let strangers = [
            BootRequest(mac: MACAddress(value: 0x5254_00ff_ffff)),
            BootRequest(mac: MACAddress(value: 0x5254_00ff_ffff), hostName: "hv01"),
        ]
        let addresses = [nil, IPv4Address("10.10.99.50"), IPv4Address("10.20.99.150"), IPv4Address("10.20.30.11")]
        return (machines + strangers).flatMap { request in
            addresses.map { address in
                var request = request
                request.address = address
                return request
            }
        }
    }
}
