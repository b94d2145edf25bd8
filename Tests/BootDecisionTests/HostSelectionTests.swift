import Boot
import Site
import Testing

/// Which host a request comes from, and when it is believed.
@Suite struct HostSelectionTests {
    private static let uuid = "4c4c4544-0000-0000-0000-000000000001"

    private static func decide(_ fields: [String: String]) throws -> BootDecision {
        try BootDecider(try LabSite.site()).decide(BootRequest(fields: fields, address: nil))
    }

    @Test(
        arguments: [
            (["mac": "52:54:00:00:01:01"], "MAC 52:54:00:00:01:01 is host hv01"),
            (["mac": "52-54-00-00-01-01"], "MAC 52:54:00:00:01:01 is host hv01"),
            (["mac": "01-52-54-00-00-01-01"], "MAC 52:54:00:00:01:01 is host hv01"),
            (["mac": "525400000101"], "MAC 52:54:00:00:01:01 is host hv01"),
            (["uuid": uuid], "UUID \(uuid) is host hv01"), (["uuid": uuid.uppercased()], "UUID \(uuid) is host hv01"),
            (["serial": "ABC123"], "serial ABC123 is host hv01"), (["hostname": "hv01"], "host name hv01 is host hv01"),
            (["hostname": "HV01.lab.example.net"], "host name hv01.lab.example.net is host hv01"),
            (["mac": "junk", "uuid": "junk", "serial": "ABC123"], "serial ABC123 is host hv01"),
        ] as [([String: String], String)])
    func findsTheHost(_ fields: [String: String], _ reason: String) throws {
        let decision = try Self.decide(fields)
        #expect(decision.host == "hv01")
        #expect(decision.reasons.first == reason)
        #expect(decision.plan != nil)
    }

    /// An operator who knows no MAC yet pins what is printed on the case, and lists no interfaces.
    @Test func aHostWithoutInterfacesIsFoundByWhatItPins() throws {
        let site = try #require(
            Site.parse(
                Array(
                    LabSite.text.replacing(
                        "  hv01:\n    plane: lab",
                        with: "  hv09:\n    plane: lab\n    serial: NINE9\n  hv01:\n    plane: lab"
                    ).replacing("assignments:", with: "assignments:\n  hv09: {profile: rescue, boot: always}").utf8)
            ).site)
        let decider = try BootDecider(site)
        func decide(_ fields: [String: String]) -> BootDecision {
            decider.decide(BootRequest(fields: fields, address: IPv4Address("10.20.99.150")))
        }
        #expect(decide(["mac": "52:54:00:ff:ff:ff", "serial": "NINE9"]).plan?.host == "hv09")
        #expect(decide(["mac": "52:54:00:ff:ff:ff", "serial": "NINE8"]).host == nil)
        #expect(decide(["mac": "52:54:00:ff:ff:ff", "hostname": "hv09"]).outcome == .refuse)
    }

    @Test func theMACDecides() throws {
        let decision = try Self.decide([
            "mac": "52:54:00:00:02:01", "uuid": Self.uuid, "serial": "ABC123", "hostname": "hv03",
        ])
        #expect(decision.host == "hv02")
        #expect(decision.plan?.profile == "rescue")
    }

    @Test(
        arguments: [
            (["uuid": "4c4c4544-0000-0000-0000-000000000002"], "hv01 must have UUID \(uuid)"),
            (["serial": "ABC124"], "hv01 must have serial number ABC123"), (["arch": "arm64"], "hv01 must be x86_64"),
            (["arch": "riscv64"], "reports riscv64"), (["uuid": uuid, "serial": "ABC124"], "serial number"),
        ] as [([String: String], String)])
    func refusesWhatContradictsTheHost(_ fields: [String: String], _ reason: String) throws {
        let decision = try Self.decide(fields.merging(["mac": "52:54:00:00:01:01"]) { $1 })
        #expect(decision.outcome == .refuse)
        #expect(decision.host == "hv01")
        #expect(decision.reason.contains(reason))
    }

    /// A serial number is no secret, but another machine's has no place on this machine's screen.
    @Test func doesNotRepeatTheReportedSerial() throws {
        let decision = try Self.decide(["mac": "52:54:00:00:01:01", "serial": "HOSTILE || reboot"])
        #expect(!decision.reason.contains("HOSTILE"))
    }

    @Test(
        arguments: [
            ["uuid": "ffffffff-ffff-ffff-ffff-ffffffffffff"], ["uuid": "00000000-0000-0000-0000-000000000000"],
            ["uuid": "x"],
            ["serial": "To be filled by O.E.M."], ["serial": "Default string"], ["serial": "0"], ["serial": ""],
            ["arch": "sparc"], ["arch": ""], ["platform": "tape"], ["hostname": "another"], ["arch": "i386"],
            ["arch": "x86_64"],
            ["arch": "amd64"], ["uuid": uuid.uppercased(), "serial": "ABC123"],
        ] as [[String: String]])
    func ignoresWhatSaysNothing(_ fields: [String: String]) throws {
        #expect(try Self.decide(fields.merging(["mac": "52:54:00:00:01:01"]) { $1 }).plan != nil)
    }

    @Test(arguments: [("i386", true), ("x86_64", false), ("arm64", false)])
    func a32BitHostReportsItself(_ arch: String, _ boots: Bool) throws {
        let text = LabSite.text.replacing("arch: x86_64", with: "arch: i386")
        let decider = try BootDecider(try #require(Site.parse(Array(text.utf8)).site))
        let decision = decider.decide(BootRequest(fields: ["mac": "52:54:00:00:01:01", "arch": arch], address: nil))
        #expect((decision.plan != nil) == boots)
    }

    @Test func dropsWhatItCannotUse() {
        let request = BootRequest(
            fields: [
                "mac": "52:54:00:00:01", "uuid": "00000000-0000-0000-0000-000000000000", "serial": "None",
                "hostname": "",
                "arch": "z80", "platform": "PCBIOS", "other": "x",
            ], address: nil)
        #expect(request == BootRequest())
    }

    @Test func readsEveryField() throws {
        let address = try #require(IPv4Address("10.20.99.150"))
        let request = BootRequest(
            fields: [
                "mac": "52-54-00-00-01-01", "uuid": Self.uuid.uppercased(), "serial": "A 1", "hostname": "HV01",
                "arch": "i386",
                "platform": "efi",
            ], address: address)
        #expect(
            request
                == BootRequest(
                    mac: try LabSite.mac("52:54:00:00:01:01"), uuid: Self.uuid, serial: "A 1", hostName: "hv01",
                    architecture: .i386, platform: "efi", address: address))
    }
}
