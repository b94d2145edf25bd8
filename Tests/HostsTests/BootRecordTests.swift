import Boot
import Hosts
import Site
import Testing

@Suite struct BootRecordTests {
    /// Events one second apart, at 1, 2, 3... seconds: `kind detail`.
    private static func timeline(_ lines: [String]) -> [HostEvent] {
        lines.enumerated().compactMap { index, line in
            let parts = line.split(separator: " ", maxSplits: 1)
            return HostEvent.Kind(rawValue: String(parts[0])).map {
                HostEvent(
                    kind: $0, detail: parts.count > 1 ? String(parts[1]) : "", time: Int64(index + 1) * 1000, bytes: 10)
            }
        }
    }

    private static let whole = [
        "dhcp 10.0.0.7, PXEClient:Arch:00007", "loader snponly.efi", "dhcp 10.0.0.7, user class iPXE",
        "loader iPXE runs and asks for its script", "held it waits for its turn", "script boot installer (once)",
        "kernel os:1/linux", "initrd os:1/a", "initrd os:1/b", "log kernel: up", "failure HTTP /x: 404 Not Found",
        "answer one", "up one", "installed one",
    ]

    @Test func aBootIsOneRecord() throws {
        let record = try #require(BootRecord(Self.timeline(Self.whole)))
        #expect(record.started == 1000 && record.failures == 1)
        #expect(
            record.steps.map(\.phase) == [.dhcp, .loader, .wait, .script, .kernel, .initrd, .answer, .up, .installed])
        #expect(record.steps.map(\.count) == [2, 2, 1, 1, 1, 2, 1, 1, 1])
        #expect(record.steps.map(\.milliseconds) == [1000, 2000, 1000, 1000, 1000, 2000, 3000, 1000, 1000])
        #expect(record.steps.first { $0.phase == .initrd }?.bytes == 20)
        #expect(record.cause(silence: 10_000_000, boots: true, reports: true) == nil)
    }

    @Test func theLastBootCounts() throws {
        let record = try #require(BootRecord(Self.timeline(Self.whole + Self.whole.prefix(4))))
        #expect(record.started == 15_000)
        #expect(record.steps.map(\.phase) == [.dhcp, .loader])
        // A script that is asked for again is the same boot; a loader by firmware that was given its address elsewhere is not.
        let again = try #require(
            BootRecord(Self.timeline(Self.whole.prefix(6) + ["script boot", "kernel os:1/linux"])))
        #expect(again.started == 1000 && again.steps.first { $0.phase == .script }?.count == 2)
        #expect(try #require(BootRecord(Self.timeline(Self.whole + ["loader snponly.efi"]))).started == 15_000)
        #expect(BootRecord(Self.timeline(["log text", "armed one"])) == nil)
    }

    /// What a machine did, and what is said of it when it stays silent.
    @Test(arguments: [
        (["dhcp a, PXEClient", "dhcp a, PXEClient"], "it asked for an address 2 times and never for a loader"),
        (["dhcp asks, and there is no address for it, PXEClient"], "it asked for an address once and there was none"),
        (["dhcp a, PXEClient", "loader snponly.efi"], "it loaded its loader and never asked for a script"),
        (["dhcp a, PXEClient", "loader snponly.efi", "loader snponly.efi"], "it loaded its loader 2 times"),
        (["dhcp a, PXEClient", "loader snponly.efi", "dhcp a, user class iPXE"], "iPXE runs and has an address"),
        (["dhcp a, PXEClient", "loader iPXE runs and asks for its script"], "iPXE has its first script"),
        (["script boot p", "failure HTTP /os:1/linux: 404 Not Found"], "the last failure was: HTTP /os:1/linux: 404"),
        (["script boot p"], "has not loaded the kernel"), (["script boot p", "kernel k"], "and not the initrd"),
        (["held it waits"], "asks no more"), (["held it waits", "script boot p"], "has not loaded the kernel"),
        (["script boot p", "held it waits"], "asks no more"),
        (["script boot p", "kernel k", "initrd i"], "was not heard of since"),
        (["initrd i", "answer one"], "did not report"), (["answer one", "up one"], "it runs and did not report"),
    ])
    func aMachineThatStopsIsExplained(_ lines: [String], _ cause: String) throws {
        let record = try #require(BootRecord(Self.timeline(lines)))
        let furthest = try #require(record.steps.map(\.phase).max())
        let patience = BootRecord.patience(after: furthest)
        #expect(record.cause(silence: patience, boots: true, reports: true) == nil, "it may go on")
        let text = record.cause(silence: patience + 1, boots: true, reports: true)
        #expect(text?.contains(cause) == true, "\(text ?? "nothing")")
    }

    /// However often it asks, its timeline has one line of it, and it counts as seen.
    @Test func aMachineThatGoesOnAskingIsNotStuck() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let request = BootRequest(mac: Sample.mac(1), address: Sample.address(11))
        let held = BootDecision(host: "one", substrate: nil, outcome: .hold(seconds: 10), reasons: ["not yet"])
        for _ in 0..<100 {
            ledger.noteScript(request, decision: held, detail: "not yet")
            place.advance(10_000)
        }
        let machine = try #require(ledger.machine(Sample.mac(1)))
        #expect(machine.events.count == 1 && machine.lastSeen == place.now - 10_000)
        let record = try #require(BootRecord(machine.events))
        #expect(record.cause(silence: place.now - machine.lastSeen, boots: true, reports: true) == nil)
    }

    @Test func figuresCountStepsOfTheSameBoot() throws {
        let place = try Ledger()
        let ledger = try place.open()
        func note(_ kind: HostEvent.Kind, after milliseconds: Int64, _ detail: String = "") {
            place.advance(milliseconds)
            ledger.note(address: Sample.address(11), kind: kind, detail: detail, bytes: 100)
        }
        ledger.noteDHCP(
            mac: Sample.mac(1), address: Sample.address(11), vendorClass: nil, detail: "a, PXEClient", host: "one")
        note(.loader, after: 700)
        note(.log, after: 700)
        note(.kernel, after: 600)
        // Another boot: the way back is no step.
        note(.loader, after: 5000)
        note(.kernel, after: 4_000_000)
        let figures = ledger.figures
        #expect(figures.durations.mapValues(\.milliseconds) == [.loader: 700, .kernel: 1300])
        #expect(figures.durations[.kernel]?.counts == [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1])
        #expect(figures.events == [.dhcp: 1, .loader: 2, .log: 1, .kernel: 2])
        #expect(figures.bytes[.kernel] == 200)
    }

    /// A system that renews its address says nothing of its boot.
    @Test(arguments: ["dhcp 10.0.0.7", "dhcp 10.0.0.7, MSFT 5.0", "dhcp asks, and there is no address for it"])
    func aSystemThatAsksForAnAddressDoesNotBoot(_ line: String) throws {
        #expect(BootRecord(Self.timeline([line])) == nil)
        let record = try #require(BootRecord(Self.timeline(Self.whole + [line])))
        #expect(record.started == 1000)
        #expect(record.cause(silence: 10_000_000, boots: true, reports: true) == nil)
        let disk = try #require(BootRecord(Self.timeline(["dhcp 10.0.0.7, PXEClient"])))
        #expect(disk.cause(silence: 10_000_000, boots: false, reports: false) == nil, "it boots its disk")
    }

    @Test(arguments: [["script local disk: as assigned"], ["refused another MAC"], ["initrd i", "up one"]])
    func aMachineThatIsWhereItShouldBeIsNot(_ lines: [String]) throws {
        let record = try #require(BootRecord(Self.timeline(lines)))
        #expect(record.cause(silence: 10_000_000, boots: lines[0].hasPrefix("refused"), reports: false) == nil)
    }
}
