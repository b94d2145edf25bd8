import Boot
import Fixtures
import Site
import Testing

/// Invariant 5: an unknown machine is never installed by accident.
@Suite struct UnknownMachineTests {
    @Test(
        arguments: [
            [:], ["mac": "52:54:00:ff:ff:ff"], ["mac": "junk"], ["uuid": "4c4c4544-0000-0000-0000-0000000000ff"],
            ["serial": "XYZ"], ["hostname": "hv99"], ["hostname": "hv01.other.net"],
            ["arch": "x86_64", "platform": "efi"],
            [
                "mac": "52:54:00:ff:ff:ff", "uuid": "4c4c4544-0000-0000-0000-0000000000ff", "serial": "XYZ",
                "hostname": "hv99",
            ],
            ["mac": "01:00:5e:00:00:01"], ["hostname": ""], ["hostname": "boot"], ["serial": "abc123"],
        ] as [[String: String]])
    func bootsItsLocalDisk(_ fields: [String: String]) throws {
        let decision = try BootDecider(try LabSite.site()).decide(BootRequest(fields: fields, address: nil))
        #expect(decision.outcome == .localDisk)
        #expect(decision.host == nil)
        #expect(decision.reason.contains("not in the site file"))
    }

    /// Boards share UUIDs and serial numbers, and a name can be taken: none of them is enough with a foreign MAC.
    @Test(
        arguments: [
            ["uuid": "4c4c4544-0000-0000-0000-000000000001"], ["serial": "ABC123"], ["hostname": "hv01"],
            ["hostname": "hv02"],
            ["hostname": "hv02.lab.example.net"], ["hostname": "hv01", "uuid": "ffffffff-ffff-ffff-ffff-ffffffffffff"],
            ["uuid": "4c4c4544-0000-0000-0000-000000000001", "serial": "ABC123", "hostname": "hv01", "arch": "x86_64"],
        ] as [[String: String]])
    func isRefusedWhenItClaimsToBeAHost(_ claims: [String: String]) throws {
        let fields = claims.merging(["mac": "52:54:00:ff:ff:ff"]) { $1 }
        let decision = try BootDecider(try LabSite.site()).decide(BootRequest(fields: fields, address: nil))
        #expect(decision.outcome == .refuse)
        #expect(decision.reason.contains("52:54:00:ff:ff:ff is none of that host's interfaces"))
    }

    @Test func neverBootsIn5000RandomRequests() throws {
        var random = SeededGenerator(seed: 5000)
        for site in [try LabSite.site(), try #require(Site.parse(ExampleSite.bytes).site)] {
            let decider = try BootDecider(site)
            let known = site.hosts.flatMap(\.interfaces).map(\.mac)
            var boots = 0
            for _ in 0..<2500 {
                var request = Self.request(like: site.hosts, &random)
                let mac = MACAddress(value: random.next())
                request.mac = known.contains(mac) ? MACAddress(value: mac.value ^ 1 << 47) : mac
                #expect(decider.decide(request).plan == nil, "\(request)")
                request.mac = known.randomElement(using: &random)
                if decider.decide(request).plan != nil { boots += 1 }
            }
            #expect(boots > 100, "the same requests with a known MAC do boot")
        }
    }

    /// A request whose every field is missing, random, or some host's.
    private static func request(like hosts: [Host], _ random: inout SeededGenerator) -> BootRequest {
        func pick<Value>(_ values: [Value?]) -> Value? { values.randomElement(using: &random) ?? nil }
        let digits = Array("0123456789abcdef")
        let uuid = [8, 4, 4, 4, 12].map { count in
            String((0..<count).map { _ in digits.randomElement(using: &random) ?? "0" })
        }.joined(separator: "-")
        return BootRequest(
            mac: nil, uuid: pick(hosts.map(\.uuid) + [uuid]), serial: pick(hosts.map(\.serial) + ["S\(random.next())"]),
            hostName: pick(hosts.map(\.name) + ["hv\(random.next() % 100)", nil]),
            architecture: pick([.x86_64, .i386, .arm64, nil]),
            platform: pick(["pcbios", "efi", nil]),
            address: pick([
                IPv4Address(value: UInt32(truncatingIfNeeded: random.next())), IPv4Address("10.20.99.150"), nil,
            ]))
    }
}
