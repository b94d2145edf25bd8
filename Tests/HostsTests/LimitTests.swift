import Boot
import Hosts
import Site
import Testing

/// What a network full of strangers can make the ledger hold.
@Suite struct LimitTests {
    @Test func theNewestEventsOfAMachineAreKept() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let count = HostLedger.eventLimit + 30
        for number in 0..<count {
            ledger.noteDHCP(mac: Sample.mac(1), address: nil, vendorClass: nil, detail: "\(number)", host: nil)
            if number == count / 2 { try ledger.flush() }
        }
        try ledger.flush()
        let events = try #require(ledger.machine(Sample.mac(1))?.events)
        #expect(events.map(\.detail) == (30..<count).map { "\($0)" })
        #expect(try place.count("event") == HostLedger.eventLimit)
        #expect(try place.open().machines == ledger.machines)
    }

    @Test func theLongestUnseenStrangersMakeRoomOnDiskToo() throws {
        let limit = 40
        let place = try Ledger()
        let ledger = try place.open(machineLimit: limit)
        ledger.adopt(site: try Sample.site())
        // A host of the site, seen before all others.
        ledger.noteDHCP(mac: Sample.mac(1), address: nil, vendorClass: nil, detail: "", host: nil)
        let strangers = (100..<UInt64(100 + limit + 4)).map(Sample.mac)
        for (number, stranger) in strangers.enumerated() {
            place.advance(1)
            ledger.noteDHCP(mac: stranger, address: nil, vendorClass: nil, detail: "", host: nil)
            #expect(ledger.machines.count <= limit)
            if number == 20 { try ledger.flush() }
        }
        let kept = ledger.machines.map(\.mac)
        #expect(kept.count > limit * 9 / 10)
        #expect(kept.contains(Sample.mac(1)))
        #expect(kept.dropFirst().elementsEqual(strangers.suffix(kept.count - 1)))
        try ledger.flush()
        #expect(try place.count("machine") == kept.count && place.count("event") == kept.count)
        #expect(try place.open().machines == ledger.machines)
    }

    @Test(arguments: [0, 5, 10] as [UInt64])
    func aStrangerThatComesBackStartsAnew(_ flushedAfter: UInt64) throws {
        let place = try Ledger()
        let ledger = try place.open(machineLimit: 10)
        ledger.noteDHCP(mac: Sample.mac(0), address: Sample.address(150), vendorClass: nil, detail: "", host: nil)
        for number in 1...10 as ClosedRange<UInt64> {
            place.advance(1)
            ledger.noteDHCP(mac: Sample.mac(number), address: nil, vendorClass: nil, detail: "", host: nil)
            if number == flushedAfter { try ledger.flush() }
        }
        #expect(ledger.machine(Sample.mac(0)) == nil)
        #expect(ledger.mac(at: Sample.address(150)) == nil)
        place.advance(1)
        ledger.noteDHCP(mac: Sample.mac(0), address: nil, vendorClass: nil, detail: "again", host: nil)
        try ledger.flush()
        let machine = try #require(try place.open().machine(Sample.mac(0)))
        #expect(machine.events.map(\.detail) == ["again"] && machine.firstSeen == place.now)
    }

    @Test func whatCouldNotBeRemovedIsRemovedLater() throws {
        let place = try Ledger()
        let ledger = try place.open(machineLimit: 2)
        for number in 1...2 as ClosedRange<UInt64> {
            place.advance(1)
            ledger.noteDHCP(mac: Sample.mac(number), address: nil, vendorClass: nil, detail: "", host: nil)
        }
        try ledger.flush()
        try place.setBroken(true, table: "machine")
        ledger.noteDHCP(mac: Sample.mac(3), address: nil, vendorClass: nil, detail: "", host: nil)
        #expect(throws: HostsError(.failure, "")) { try ledger.flush() }
        try place.setBroken(false, table: "machine")
        try ledger.flush()
        #expect(try place.open().machines.map(\.mac) == [Sample.mac(2), Sample.mac(3)])
    }

    private func eventsOnceKnown(_ ledger: HostLedger, _ address: UInt32) -> [String] {
        ledger.noteDHCP(
            mac: Sample.mac(2), address: Sample.address(address), vendorClass: nil, detail: "known", host: nil)
        return ledger.machine(Sample.mac(2))?.events.map(\.detail) ?? []
    }

    @Test func theNewestEventsOfAnUnknownAddressAreKept() throws {
        let place = try Ledger()
        let ledger = try place.open()
        for number in 0..<200 { ledger.note(address: Sample.address(150), kind: .log, detail: "\(number)") }
        #expect(eventsOnceKnown(ledger, 150) == (136..<200).map { "\($0)" } + ["known"])
    }

    /// Addresses are easily forged: many of them make those go that were silent the longest.
    @Test func aFloodOfUnknownAddressesDoesNotSilenceTheOthers() throws {
        let place = try Ledger()
        let ledger = try place.open()
        for number in 0..<3000 as Range<UInt32> {
            place.advance(1)
            ledger.note(address: Sample.address(1000 + number), kind: .log, detail: "")
            if number.isMultiple(of: 500) { ledger.note(address: Sample.address(150), kind: .log, detail: "\(number)") }
        }
        #expect(eventsOnceKnown(ledger, 150) == ["0", "500", "1000", "1500", "2000", "2500", "known"])
        #expect(eventsOnceKnown(ledger, 1000).count == 8)
        #expect(ledger.machines.count == 1)
    }

    @Test func aLongDetailIsCut() throws {
        let event = HostEvent(kind: .log, detail: String(repeating: "x", count: 5000), time: 0)
        #expect(event.detail.count == 400)
    }
}
