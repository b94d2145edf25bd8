import Hosts
import Testing

/// An address belongs to the machine that was last seen with it.
@Suite struct AddressTests {
    private func note(_ ledger: HostLedger, _ mac: UInt64, _ address: UInt32?, host: String? = nil) {
        ledger.noteDHCP(
            mac: Sample.mac(mac), address: address.map(Sample.address), vendorClass: nil, detail: "", host: host)
    }

    @Test func theNewOwnerOfALeaseGetsItsEvents() throws {
        let place = try Ledger()
        let ledger = try place.open()
        note(ledger, 1, 150, host: "one")
        note(ledger, 2, 150, host: "two")
        ledger.note(address: Sample.address(150), kind: .kernel, detail: "two's")
        #expect(ledger.kinds(Sample.mac(1)) == [.dhcp])
        #expect(ledger.kinds(Sample.mac(2)) == [.dhcp, .kernel])
    }

    /// The old owner is still known by that address, but an event that says nothing of an address moves none.
    @Test func anEventWithoutAddressDoesNotTakeAnAddressBack() throws {
        let place = try Ledger()
        let ledger = try place.open()
        note(ledger, 1, 150, host: "one")
        note(ledger, 2, 150, host: "two")
        try ledger.arm(host: "one")
        note(ledger, 1, nil)
        #expect(ledger.mac(at: Sample.address(150)) == Sample.mac(2))
        ledger.note(address: Sample.address(150), kind: .kernel, detail: "two's")
        #expect(ledger.kinds(Sample.mac(2)) == [.dhcp, .kernel])
        #expect(ledger.kinds(Sample.mac(1)) == [.dhcp, .armed, .dhcp])
    }

    @Test func theLastOwnerIsRememberedAfterAReopening() throws {
        for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] as [[UInt64]] {
            let place = try Ledger()
            let ledger = try place.open()
            for mac in order {
                place.advance(1000)
                note(ledger, mac, 150)
            }
            try ledger.flush()
            #expect(try place.open().mac(at: Sample.address(150)) == Sample.mac(order[2]))
        }
    }

    @Test func aMachineThatMovesIsKnownAtItsNewAddress() throws {
        let place = try Ledger()
        let ledger = try place.open()
        note(ledger, 1, 150)
        note(ledger, 1, 151)
        #expect(ledger.mac(at: Sample.address(151)) == Sample.mac(1))
        #expect(ledger.machine(Sample.mac(1))?.address == Sample.address(151))
    }

    @Test func anUnknownAddressIsNobodys() throws {
        #expect(try Ledger().open().mac(at: Sample.address(1)) == nil)
    }
}
