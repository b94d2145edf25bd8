import Boot
import BootPlane
import Site
import Testing

@Suite struct AdmissionControlTests {
    private static func machine(_ number: Int) -> IPv4Address { IPv4Address(value: 0x0A00_0000 + UInt32(number)) }

    private static func budget(_ machines: Int, bytes: Int64 = 1 << 40) -> BootBudget {
        var budget = BootBudget()
        (budget.machines, budget.bytes) = (machines, bytes)
        return budget
    }

    /// Asks for a machine of 100 bytes.
    private static func ask(
        _ control: inout AdmissionControl, _ number: Int, of substrate: String = "a", bytes: Int64 = 100,
        budget: BootBudget = budget(2), at now: Int64
    ) -> Bool {
        control.ask(machine(number), substrate: substrate, bytes: bytes, budget: budget, now: now) == .admitted
    }

    @Test func thoseThatCameFirstAreServedFirst() {
        var control = AdmissionControl()
        #expect((0..<5).map { Self.ask(&control, $0, at: Int64($0)) } == [true, true, false, false, false])
        #expect(control.wait(of: Self.machine(0)) == nil && control.wait(of: Self.machine(4)) == 2)
        // One has loaded all: the free place is the first's in the queue, whoever asks earlier.
        control.loaded(Self.machine(0), bytes: 100, now: 2000)
        #expect(!Self.ask(&control, 4, at: 2500))
        #expect(!Self.ask(&control, 3, at: 2600))
        #expect(Self.ask(&control, 2, at: 2700))
        #expect(!Self.ask(&control, 3, at: 4700))
    }

    @Test func aPlaceIsKeptUntilAllIsLoaded() {
        var control = AdmissionControl()
        #expect(Self.ask(&control, 0, budget: Self.budget(1), at: 0))
        control.loaded(Self.machine(0), bytes: 60, now: 10)
        #expect(!Self.ask(&control, 1, budget: Self.budget(1), at: 20))
        #expect(Self.ask(&control, 0, budget: Self.budget(1), at: 30), "it asks again after a failure")
        control.loaded(Self.machine(0), bytes: 60, now: 40)
        #expect(!Self.ask(&control, 1, budget: Self.budget(1), at: 2040), "all of it has to be loaded again")
        control.loaded(Self.machine(0), bytes: 60, now: 2050)
        #expect(Self.ask(&control, 1, budget: Self.budget(1), at: 4100))
    }

    @Test func aMachineThatStopsGivesItsPlaceOnAndOneThatLoadsDoesNot() {
        var control = AdmissionControl()
        #expect(Self.ask(&control, 0, at: 0) && Self.ask(&control, 1, at: 0))
        control.transferBegan(Self.machine(1), now: 1)
        var now: Int64 = 0
        var admitted: [Int] = []
        while now < AdmissionControl.patience + 10_000 {
            for number in 2...3 where !admitted.contains(number) {
                if Self.ask(&control, number, at: now) { admitted.append(number) }
            }
            now += 2000
        }
        #expect(admitted == [2])
        control.transferEnded(Self.machine(1), now: now)
        now += AdmissionControl.patience + 5000
        #expect(Self.ask(&control, 3, at: now))
    }

    @Test func aMachineThatNoLongerAsksIsNotWaitedFor() {
        var control = AdmissionControl()
        for number in 0..<4 { _ = Self.ask(&control, number, at: 0) }
        control.left(Self.machine(0))
        // The third is switched off: the fourth waits for it no longer than three times its wait.
        #expect(!Self.ask(&control, 3, at: 2000))
        #expect(Self.ask(&control, 3, at: 6000))
    }

    @Test func bytesAndSubstratesCount() {
        var control = AdmissionControl()
        let budget = Self.budget(10, bytes: 150)
        #expect(Self.ask(&control, 0, budget: budget, at: 0))
        #expect(!Self.ask(&control, 1, budget: budget, at: 0))
        #expect(Self.ask(&control, 2, of: "b", budget: budget, at: 0))
        control.loaded(Self.machine(0), bytes: 60, now: 1)
        #expect(Self.ask(&control, 1, budget: budget, at: 2000))
        // What is larger than the whole budget goes alone.
        #expect(Self.ask(&control, 3, of: "c", bytes: 1000, budget: budget, at: 0))
    }

    @Test func aLargeOneDoesNotWaitForEverWhileSmallOnesPass() {
        var control = AdmissionControl()
        let budget = Self.budget(10, bytes: 1000)
        #expect(Self.ask(&control, 0, bytes: 600, budget: budget, at: 0))
        #expect(!Self.ask(&control, 1, bytes: 900, budget: budget, at: 1))
        #expect(!Self.ask(&control, 2, bytes: 100, budget: budget, at: 2), "there is room, and another is before it")
        control.loaded(Self.machine(0), bytes: 600, now: 1000)
        #expect(Self.ask(&control, 1, bytes: 900, budget: budget, at: 1100))
        #expect(Self.ask(&control, 2, bytes: 100, budget: budget, at: 1200))
    }

    @Test func theAnswerToARepeatedQuestionIsTheSame() {
        var control = AdmissionControl()
        for number in 0..<3 { _ = Self.ask(&control, number, at: 0) }
        control.left(Self.machine(0))
        #expect(!Self.ask(&control, 2, at: 10), "the signature of its configuration must fit")
        #expect(Self.ask(&control, 2, at: 2000))
    }

    /// Firmware that asks for its image gives up where it is refused: it loads, and others wait for it.
    @Test func whoCannotWaitLoadsAndCounts() {
        var control = AdmissionControl()
        let budget = Self.budget(2)
        for number in 1...3 { control.take(Self.machine(number), substrate: "one", bytes: 100, now: 0) }
        #expect(control.queues(now: 0) == [.init(substrate: "one", loading: 3, waiting: 0)])
        #expect(
            control.ask(Self.machine(9), substrate: "one", bytes: 100, budget: budget, now: 0) == .wait(seconds: 1))
        // Taken again, it is the same machine.
        control.take(Self.machine(1), substrate: "one", bytes: 100, now: 0)
        #expect(control.queues(now: 0) == [.init(substrate: "one", loading: 3, waiting: 1)])
        for number in 1...2 { control.loaded(Self.machine(number), bytes: 100, now: 1) }
        #expect(control.ask(Self.machine(9), substrate: "one", bytes: 100, budget: budget, now: 1000) == .admitted)
        // Who waited, and then could not any more.
        #expect(
            control.ask(Self.machine(10), substrate: "one", bytes: 1, budget: budget, now: 1000) == .wait(seconds: 1))
        control.take(Self.machine(10), substrate: "one", bytes: 1, now: 1000)
        #expect(control.queues(now: 1000) == [.init(substrate: "one", loading: 3, waiting: 0)])
        // Those that stopped are counted no longer.
        #expect(control.queues(now: 1_000_000) == [.init(substrate: "one", loading: 0, waiting: 0)])
    }

    /// Addresses that somebody makes up do not fill the memory, and hold nobody up for ever.
    @Test func forgedAddressesAreNotAllKept() {
        var control = AdmissionControl()
        for number in 0..<50_000 {
            if number.isMultiple(of: 2) {
                control.take(Self.machine(number), substrate: "one", bytes: 1, now: 0)
            } else {
                _ = control.ask(
                    Self.machine(number), substrate: "one", bytes: 1, budget: Self.budget(1), now: 0)
            }
        }
        let queue = control.queues(now: 0).first
        #expect((queue?.loading ?? 0) + (queue?.waiting ?? 0) == AdmissionControl.machineLimit)
        let answer = control.ask(
            Self.machine(60_000), substrate: "one", bytes: 1, budget: Self.budget(1), now: 0)
        #expect(answer == .admitted)
        #expect(control.queues(now: 1_000_000).first == .init(substrate: "one", loading: 0, waiting: 0))
    }
}
