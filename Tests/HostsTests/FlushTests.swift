import Boot
import Hosts
import Site
import Testing

/// Notes never touch the disk; a flush that fails loses nothing.
@Suite struct FlushTests {
    private func note(_ ledger: HostLedger, _ details: ClosedRange<Int>) {
        for number in details {
            ledger.noteDHCP(
                mac: Sample.mac(1), address: Sample.address(11), vendorClass: nil, detail: "\(number)", host: nil)
        }
    }

    @Test func aNoteIsReadBeforeItIsWritten() throws {
        let place = try Ledger()
        let ledger = try place.open()
        note(ledger, 1...3)
        ledger.note(address: Sample.address(11), kind: .log, detail: "4")
        #expect(ledger.machine(Sample.mac(1))?.events.count == 4)
        #expect(try place.count("event") == 0 && place.count("machine") == 0)
        try ledger.flush()
        #expect(try place.count("event") == 4 && place.count("machine") == 1)
    }

    @Test(arguments: ["event", "machine"])
    func afterAFailureEverythingIsWrittenByTheNext(_ table: String) throws {
        let place = try Ledger()
        let ledger = try place.open()
        note(ledger, 1...3)
        try place.setBroken(true, table: table)
        #expect(throws: HostsError(.failure, "")) { try ledger.flush() }
        #expect(try place.count("event") == 0 && place.count("machine") == 0)
        note(ledger, 4...5)
        #expect(throws: HostsError(.failure, "")) { try ledger.flush() }
        #expect(ledger.machine(Sample.mac(1))?.events.count == 5)
        try place.setBroken(false, table: table)
        try ledger.flush()
        #expect(try place.open().machine(Sample.mac(1))?.events.map(\.detail) == ["1", "2", "3", "4", "5"])
    }

    /// A machine that only asks again is written every minute, and at once when it says something new.
    @Test func whoOnlyAsksAgainIsNotWrittenEachTime() throws {
        let place = try Ledger()
        let ledger = try place.open()
        func ask(after milliseconds: Int64, _ fields: [String: String] = [:]) throws -> Int64 {
            place.advance(milliseconds)
            let request = BootRequest(fields: fields.merging(["mac": "02:00:00:00:00:01"]) { $1 }, address: nil)
            let held = BootDecision(host: "one", substrate: nil, outcome: .hold(seconds: 1), reasons: ["not yet"])
            ledger.noteScript(request, decision: held, detail: "not yet")
            try ledger.flush()
            return try #require(place.open().machine(Sample.mac(1))).lastSeen
        }
        let first = try ask(after: 0)
        #expect(first == place.now)
        #expect(try ask(after: HostLedger.seenInterval - 1) == first)
        #expect(ledger.machine(Sample.mac(1))?.lastSeen == place.now, "in memory it is known")
        let second = try ask(after: 1)
        #expect(second == place.now)
        #expect(try ask(after: 100, ["serial": "ABC123"]) == place.now, "it said something new")
        // The clock was set back.
        #expect(try ask(after: -HostLedger.seenInterval * 2) == place.now)
    }

    @Test func anEmptyFlushWritesNothing() throws {
        let place = try Ledger()
        let ledger = try place.open()
        try place.setBroken(true, table: "machine")
        try ledger.flush()
    }

    @Test func aFileThatIsNoDatabaseIsAFailure() throws {
        let place = try Ledger()
        #expect(throws: HostsError(.failure, "")) {
            try HostLedger(path: place.path + "/below/a/file", key: place.key) { 0 }
        }
    }

    @Test func notesFromManyThreadsAreAllKept() async throws {
        let place = try Ledger()
        let ledger = try place.open()
        await withTaskGroup { group in
            for task in 0..<8 as Range<UInt64> {
                group.addTask {
                    for _ in 0..<50 {
                        ledger.noteDHCP(mac: Sample.mac(task), address: nil, vendorClass: nil, detail: "", host: nil)
                        try? ledger.flush()
                    }
                }
            }
        }
        try ledger.flush()
        #expect(try place.count("event") == 400)
        #expect(try place.open().machines == ledger.machines)
    }
}
