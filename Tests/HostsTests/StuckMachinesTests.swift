import Boot
import Hosts
import Site
import Testing

/// Machines that stopped half-way, found without being asked for.
@Suite struct StuckMachinesTests {
    private static let patience = BootRecord.shortestPatience + 1

    @Test func aMachineThatStopsIsSaidOnceAndForgottenWhenItGoesOn() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let site = try Sample.site()
        ledger.adopt(site: site)
        let stuck = StuckMachines(ledger: ledger)
        try Sample.askForScript(ledger, mac: Sample.mac(1), address: Sample.address(11))
        #expect(stuck.look(site).isEmpty, "it may go on")
        place.advance(Self.patience)
        let found = try #require(stuck.look(site).first)
        #expect(found.host == "one" && found.cause.contains("has not loaded the kernel"))
        #expect(found.since == place.now - Self.patience)
        #expect(stuck.cause(of: Sample.mac(1)) == found.cause)
        place.advance(Self.patience)
        #expect(stuck.look(site).isEmpty, "said once")
        #expect(stuck.all.count == 1)
        ledger.note(address: Sample.address(11), kind: .kernel, detail: "debian:12/vmlinuz", bytes: 10)
        #expect(stuck.look(site).isEmpty && stuck.all.isEmpty)
        place.advance(Self.patience)
        #expect(stuck.look(site).first?.cause.contains("not the initrd") == true, "another time, another cause")
    }

    @Test func whatStoppedADayAgoIsNoNews() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let site = try Sample.site()
        ledger.adopt(site: site)
        try Sample.askForScript(ledger, mac: Sample.mac(1), address: Sample.address(11))
        place.advance(StuckMachines.memory)
        let stuck = StuckMachines(ledger: ledger)
        #expect(stuck.look(site).count == 1)
        place.advance(1)
        #expect(stuck.look(site).isEmpty && stuck.all.isEmpty)
    }

    /// Those that are where they should be: installed, assigned to their disk, strangers that got an address.
    @Test func whoBootsNothingIsNotStuck() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let site = try Sample.site()
        ledger.adopt(site: site)
        let token = try #require(ledger.issueToken(host: "one"))
        try Sample.askForScript(ledger, mac: Sample.mac(1), address: Sample.address(11))
        _ = try ledger.reportInstalled(token: token, address: Sample.address(11))
        ledger.noteDHCP(
            mac: Sample.mac(1), address: Sample.address(11), vendorClass: nil, detail: "10.0.0.11, PXEClient",
            host: "one")
        ledger.noteDHCP(
            mac: Sample.mac(9), address: Sample.address(150), vendorClass: nil, detail: "10.0.0.150", host: nil)
        place.advance(80_000_000)
        #expect(StuckMachines(ledger: ledger).look(site).isEmpty)
        try ledger.arm(host: "one")
        ledger.noteDHCP(
            mac: Sample.mac(1), address: Sample.address(11), vendorClass: nil, detail: "10.0.0.11, PXEClient",
            host: "one")
        place.advance(Self.patience)
        #expect(StuckMachines(ledger: ledger).look(site).first?.cause.contains("never for a loader") == true)
    }

    /// What a machine should do changes without a word of it.
    @Test func whoIsAssignedItsDiskOrInstalledIsNotStuckAnyMore() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let site = try Sample.site()
        ledger.adopt(site: site)
        let stuck = StuckMachines(ledger: ledger)
        try Sample.askForScript(ledger, mac: Sample.mac(1), address: Sample.address(11))
        place.advance(Self.patience)
        #expect(stuck.look(site).count == 1)
        let local = try #require(
            Site.parse(
                Array(Sample.text.replacing("one: {profile: debian, boot: once}", with: "one: {boot: local}").utf8)
            ).site)
        #expect(stuck.look(local).isEmpty && stuck.all.isEmpty)
        #expect(stuck.look(site).count == 1)
        // Silent for long, nothing changes by time alone; and one word does.
        place.advance(BootRecord.longestPatience)
        for _ in 0..<2 { #expect(stuck.look(site).isEmpty && stuck.all.count == 1) }
        let token = try #require(ledger.issueToken(host: "one"))
        _ = try ledger.reportInstalled(token: token, address: nil)
        #expect(stuck.look(site).isEmpty && stuck.all.isEmpty)
    }

    /// The clock was set back: nobody is stuck in the future.
    @Test func aClockThatWasSetBackMakesNobodyStuck() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let site = try Sample.site()
        ledger.adopt(site: site)
        try Sample.askForScript(ledger, mac: Sample.mac(1), address: Sample.address(11))
        place.advance(-10_000_000)
        #expect(StuckMachines(ledger: ledger).look(site).isEmpty)
    }
}
