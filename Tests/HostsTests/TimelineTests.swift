import Artifacts
import Boot
import Hosts
import Site
import Testing

/// The events of a machine, in order, wherever they came from.
@Suite struct TimelineTests {
    @Test func aBootFromTheFirstPacketToTheReport() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let (mac, address) = (Sample.mac(1), Sample.address(11))
        ledger.noteDHCP(mac: mac, address: address, vendorClass: "PXEClient:Arch:00007", detail: "offer", host: "one")
        ledger.note(address: address, kind: .loader, detail: "/loaders/ipxe.efi", bytes: 850_528)
        try Sample.askForScript(
            ledger, mac: mac, address: address, fields: ["arch": "x86_64", "platform": "efi", "serial": "S7"])
        for file in ["vmlinuz", "initrd.gz", "extra.cpio", "preseed.cfg"] {
            ledger.noteFile(address: address, reference: try FileReference("debian:12/\(file)"), bytes: 10)
        }
        ledger.note(address: address, kind: .answer, detail: "answer")
        _ = try ledger.reportInstalled(token: try #require(ledger.issueToken(host: "one")), address: address)
        #expect(
            ledger.kinds(mac) == [.dhcp, .loader, .script, .kernel, .initrd, .initrd, .file, .answer, .installed])
        let machine = try #require(ledger.machine(mac))
        #expect(machine.host == "one" && machine.address == address && machine.serial == "S7")
        #expect(machine.architecture == "x86_64" && machine.platform == "efi")
        #expect(machine.vendorClass == "PXEClient:Arch:00007")
        #expect(machine.events[1].bytes == 850_528 && machine.events[3].detail == "debian:12/vmlinuz")
    }

    @Test func theTimelineSurvivesAFlushAndAReopening() throws {
        let place = try Ledger()
        let ledger = try place.open()
        for number in 0..<50 {
            place.advance(10)
            ledger.noteDHCP(
                mac: Sample.mac(1), address: Sample.address(11), vendorClass: nil, detail: "\(number)", host: "one")
            if number == 30 { try ledger.flush() }
        }
        try ledger.flush()
        try ledger.flush()
        #expect(try place.open().machines == ledger.machines)
        #expect(ledger.machine(Sample.mac(1))?.events.map(\.detail) == (0..<50).map { "\($0)" })
        #expect(try place.count("event") == 50)
    }

    @Test func eventsOfAnUnknownAddressAreAdoptedWhenItBecomesKnown() throws {
        let place = try Ledger()
        let ledger = try place.open()
        ledger.note(address: Sample.address(150), kind: .loader, detail: "first")
        ledger.note(address: Sample.address(150), kind: .log, detail: "second")
        ledger.note(address: Sample.address(151), kind: .log, detail: "somebody else")
        #expect(ledger.machines.isEmpty)
        ledger.noteDHCP(
            mac: Sample.mac(2), address: Sample.address(150), vendorClass: nil, detail: "third", host: "two")
        ledger.note(address: Sample.address(150), kind: .file, detail: "fourth")
        #expect(ledger.machine(Sample.mac(2))?.events.map(\.detail) == ["first", "second", "third", "fourth"])
        try ledger.flush()
        #expect(try place.open().machine(Sample.mac(2))?.events.count == 4)
    }

    @Test func aFixedAddressIsKnownFromTheSiteFile() throws {
        let place = try Ledger()
        let ledger = try place.open()
        ledger.note(address: Sample.address(11), kind: .loader, detail: "early")
        ledger.adopt(site: try Sample.site())
        #expect(ledger.mac(at: Sample.address(11)) == Sample.mac(1))
        ledger.note(address: Sample.address(11), kind: .loader, detail: "late")
        let machine = try #require(ledger.machine(Sample.mac(1)))
        #expect(machine.events.map(\.detail) == ["early", "late"])
        #expect(machine.host == "one")
    }

    @Test func aHostThatLeftTheSiteFileIsAMachineWithoutName() throws {
        let place = try Ledger()
        let ledger = try place.open()
        ledger.noteDHCP(mac: Sample.mac(7), address: nil, vendorClass: nil, detail: "", host: "seven")
        ledger.noteDHCP(mac: Sample.mac(1), address: nil, vendorClass: nil, detail: "", host: "old-name")
        ledger.adopt(site: try Sample.site())
        #expect(ledger.machine(Sample.mac(7))?.host == nil)
        #expect(ledger.machine(Sample.mac(1))?.host == "one")
        try ledger.flush()
        #expect(try place.open().machines == ledger.machines)
    }

    @Test func whatIsNotInThePlanIsAFile() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let kernel = try FileReference("debian:12/vmlinuz")
        ledger.noteDHCP(mac: Sample.mac(1), address: Sample.address(11), vendorClass: nil, detail: "", host: "one")
        ledger.noteFile(address: Sample.address(11), reference: kernel, bytes: 1)
        try Sample.askForScript(ledger, mac: Sample.mac(1), address: Sample.address(11))
        ledger.noteFile(address: Sample.address(11), reference: kernel, bytes: 1)
        // Installed: the next script sends it to its disk, and the plan is over.
        _ = try ledger.reportInstalled(token: try #require(ledger.issueToken(host: "one")), address: nil)
        try Sample.askForScript(ledger, mac: Sample.mac(1), address: Sample.address(11))
        ledger.noteFile(address: Sample.address(11), reference: kernel, bytes: 1)
        #expect(ledger.kinds(Sample.mac(1)) == [.dhcp, .file, .script, .kernel, .installed, .script, .file])
    }

    @Test func aReportGoesToTheMachineOfTheHost() throws {
        let place = try Ledger()
        let ledger = try place.open()
        ledger.noteDHCP(mac: Sample.mac(1), address: Sample.address(11), vendorClass: nil, detail: "", host: "one")
        ledger.noteDHCP(mac: Sample.mac(9), address: Sample.address(19), vendorClass: nil, detail: "", host: nil)
        // Behind an address that is another machine's.
        _ = try ledger.reportUp(token: try #require(ledger.issueToken(host: "one")), address: Sample.address(19))
        #expect(ledger.kinds(Sample.mac(1)) == [.dhcp, .up])
        #expect(ledger.kinds(Sample.mac(9)) == [.dhcp])
    }

    @Test func aRequestWithoutMACLeavesNoTrace() throws {
        let place = try Ledger()
        let ledger = try place.open()
        ledger.noteScript(
            .init(), decision: try Sample.askForScript(ledger, mac: Sample.mac(1)), detail: "no machine is known")
        #expect(ledger.machines.count == 1)
    }

    @Test func everyKindOfEventSurvives() throws {
        let place = try Ledger()
        let ledger = try place.open()
        ledger.noteDHCP(mac: Sample.mac(1), address: Sample.address(11), vendorClass: nil, detail: "", host: nil)
        for kind in HostEvent.Kind.allCases {
            ledger.note(address: Sample.address(11), kind: kind, detail: "é\n\u{1}")
        }
        try ledger.flush()
        #expect(try place.open().kinds(Sample.mac(1)) == [.dhcp] + HostEvent.Kind.allCases)
    }
}

/// What says nothing new.
@Suite struct RepetitionTests {
    @Test func askingAgainWithinSecondsFillsNoTimeline() throws {
        let place = try Ledger()
        let ledger = try place.open()
        for _ in 0..<2000 {
            try Sample.askForScript(ledger, mac: Sample.mac(1), address: Sample.address(11), fields: [:])
        }
        #expect(ledger.kinds(Sample.mac(1)) == [.script])
        place.advance(4999)
        try Sample.askForScript(ledger, mac: Sample.mac(1), address: Sample.address(11), fields: [:])
        #expect(ledger.kinds(Sample.mac(1)) == [.script])
        place.advance(1)
        try Sample.askForScript(ledger, mac: Sample.mac(1), address: Sample.address(11), fields: [:])
        #expect(ledger.kinds(Sample.mac(1)) == [.script, .script], "five seconds after the first it is another step")
        try Sample.askForScript(ledger, mac: Sample.mac(1), address: Sample.address(12), fields: [:])
        #expect(ledger.kinds(Sample.mac(1)).count == 3, "from elsewhere, too")
        place.advance(-100_000)
        try Sample.askForScript(ledger, mac: Sample.mac(1), address: Sample.address(12), fields: [:])
        #expect(ledger.kinds(Sample.mac(1)).count == 4, "a clock that was set back hides nothing")
    }
}
