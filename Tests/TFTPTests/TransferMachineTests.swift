import TFTP
import Testing

/// The machine alone: what it says to each packet, and when it gives up.
@Suite struct TransferMachineTests {
    private func machine(_ size: Int64 = 1024, _ options: [(name: String, value: String)] = []) -> TransferMachine {
        let parameters = TransferParameters(options: options, fileSize: size, limits: .init(blockSize: 1468))
        return TransferMachine(fileSize: size, parameters: parameters, now: 0)
    }

    @Test func withoutOptionsDataComesAtOnce() {
        var machine = machine()
        #expect(machine.start(now: 0) == .sendBlocks(1...1))
    }

    @Test func withOptionsDataComesAfterAcknowledgementZero() {
        var machine = machine(1024, [("tsize", "0"), ("windowsize", "2")])
        #expect(machine.start(now: 0) == .sendOptionAcknowledgement)
        #expect(machine.received(.acknowledgement(1), now: 1) == nil)
        #expect(machine.received(.acknowledgement(0), now: 1) == .sendBlocks(1...2))
        #expect(machine.received(.acknowledgement(2), now: 2) == .sendBlocks(3...3))
        #expect(machine.received(.acknowledgement(3), now: 3) == .end(.completed))
        #expect(machine.repeatedBlocks == 0)
    }

    @Test(arguments: [(0, 1), (1, 1), (511, 1), (512, 2), (513, 2), (1024, 3)] as [(Int64, Int64)])
    func theLastBlockIsAlwaysAShortOne(_ size: Int64, _ blocks: Int64) {
        #expect(machine(size).blockCount == blocks)
    }

    @Test func anAcknowledgementInsideTheWindowGoesBackToIt() {
        var machine = machine(512 * 20, [("windowsize", "8")])
        _ = machine.start(now: 0)
        #expect(machine.received(.acknowledgement(0), now: 1) == .sendBlocks(1...8))
        #expect(machine.received(.acknowledgement(3), now: 2) == .sendBlocks(4...11))
        #expect(machine.repeatedBlocks == 5)
    }

    @Test func acknowledgementsOfBlocksThatWereNotSentAreIgnored() {
        var machine = machine(512 * 20)
        _ = machine.start(now: 0)
        #expect(machine.received(.acknowledgement(2), now: 100) == nil)
        #expect(machine.received(.acknowledgement(65535), now: 100) == nil)
        #expect(machine.received(.acknowledgement(1), now: 100) == .sendBlocks(2...2))
    }

    /// What the machine does until it gives up: the waits, and the actions at their ends.
    private func exhaust(
        _ machine: inout TransferMachine, now: Int64
    ) -> (waits: [Int64], actions: [TransferMachine.Action]) {
        var (waits, actions, now) = ([Int64](), [TransferMachine.Action](), now)
        while actions.last != .end(.timedOut), actions.count < 100 {
            waits.append(machine.deadline - now)
            #expect(machine.timerFired(now: machine.deadline - 1) == nil)
            now = machine.deadline
            if let action = machine.timerFired(now: now) { actions.append(action) }
        }
        #expect(machine.timerFired(now: now + 100_000) == nil)
        #expect(machine.received(.acknowledgement(1), now: now) == nil)
        return (waits, actions)
    }

    /// 1 s, doubled to 8 s: seven waits, six repetitions.
    @Test func backsOffAndGivesUpAfterTheDocumentedRepetitions() {
        var machine = machine()
        _ = machine.start(now: 0)
        _ = machine.received(.acknowledgement(1), now: 0)
        let end = exhaust(&machine, now: 0)
        #expect(end.waits == [1000, 2000, 4000, 8000, 8000, 8000, 8000])
        let repetitions = Array(
            repeating: TransferMachine.Action.sendBlocks(2...2), count: TransferMachine.maximumRepetitions)
        #expect(end.actions == repetitions + [.end(.timedOut)])
        #expect(machine.repeatedBlocks == 6)
    }

    /// It may be forged: whoever stands behind it must not be sent much.
    @Test func aClientThatNeverAnsweredIsGivenUpSooner() {
        var machine = machine()
        _ = machine.start(now: 0)
        let end = exhaust(&machine, now: 0)
        #expect(end.waits == [1000, 2000, 4000, 8000])
        #expect(end.actions == [.sendBlocks(1...1), .sendBlocks(1...1), .sendBlocks(1...1), .end(.timedOut)])
    }

    @Test func aTimeoutOfAClientThatNeverAnsweredDoesNotCount() {
        var machine = machine(10, [("tsize", "0"), ("timeout", "255")])
        _ = machine.start(now: 0)
        let end = exhaust(&machine, now: 0)
        #expect(end.waits == [1000, 2000, 4000, 8000])
        #expect(end.actions.dropLast().allSatisfy { $0 == .sendOptionAcknowledgement })
        #expect(end.actions.count == TransferMachine.maximumUnansweredRepetitions + 1)
    }

    @Test func theClientsOwnTimeoutIsKeptWithoutBackOff() {
        var machine = machine(10, [("timeout", "3")])
        _ = machine.start(now: 0)
        _ = machine.received(.acknowledgement(0), now: 100)
        let end = exhaust(&machine, now: 100)
        #expect(end.waits == Array(repeating: 3000, count: TransferMachine.maximumRepetitions + 1))
    }

    @Test func progressStartsTheTimerAnew() {
        var machine = machine(512 * 5)
        _ = machine.start(now: 0)
        _ = machine.timerFired(now: 1000)
        _ = machine.timerFired(now: 3000)
        #expect(machine.received(.acknowledgement(1), now: 3100) == .sendBlocks(2...2))
        #expect(machine.deadline == 4100)
    }

    /// Nothing comes after the last block of a window that would tell its loss.
    @Test func theLastBlockOfAWindowThatIsNotAnsweredIsSentAgainOnce() {
        var transfer = machine(512 * 100, [("windowsize", "4")])
        _ = transfer.start(now: 0)
        #expect(transfer.received(.acknowledgement(0), now: 5) == .sendBlocks(1...4))
        #expect(transfer.deadline == 15, "two round trips")
        #expect(transfer.timerFired(now: 14) == nil)
        #expect(transfer.timerFired(now: 15) == .sendBlocks(4...4))
        #expect(transfer.repeatedBlocks == 1)
        #expect(transfer.deadline == 1005, "after that only the timer repeats")
        #expect(transfer.timerFired(now: 1005) == .sendBlocks(1...4))
        #expect(transfer.received(.acknowledgement(4), now: 1105) == .sendBlocks(5...8))
        #expect(transfer.deadline == 1105 + 1000, "a slow client has longer")
        #expect(transfer.timerFired(now: 2105) == .sendBlocks(5...8), "not before the timer, which then repeats all")
        #expect(transfer.deadline > 2105, "and the last block with them")
    }

    @Test func inLockStepAndBeforeTheFirstAnswerNothingIsSentAgainBeforeTheTimer() {
        var lockStep = machine(512 * 100, [("blksize", "512")])
        _ = lockStep.start(now: 0)
        #expect(lockStep.received(.acknowledgement(0), now: 5) == .sendBlocks(1...1))
        #expect(lockStep.deadline == 1005)
        var unanswered = machine(512 * 100, [("windowsize", "4")])
        _ = unanswered.start(now: 0)
        #expect(unanswered.deadline == 1000)
    }

    /// performance.md section 8 item 5: a client that only repeats itself must not keep the transfer alive.
    @Test func repeatedAcknowledgementsDoNotPutTheDeadlineOff() {
        var machine = machine(512 * 5)
        _ = machine.start(now: 0)
        _ = machine.received(.acknowledgement(1), now: 10)
        let deadline = machine.deadline
        for now in stride(from: Int64(100), to: deadline, by: 100) {
            _ = machine.received(.acknowledgement(1), now: now)
            #expect(machine.deadline == deadline)
        }
    }

    @Test(arguments: [0, 8] as [UInt16])
    func anErrorBeforeTheFirstByteIsASizeProbe(_ code: UInt16) {
        var machine = machine(1024, [("tsize", "0"), ("blksize", "1468")])
        _ = machine.start(now: 0)
        #expect(machine.received(.error(code: code, message: "User aborted"), now: 1) == .end(.sizeProbe))
        #expect(machine.received(.acknowledgement(0), now: 2) == nil)
    }

    @Test func anErrorLaterIsAnAbort() {
        var machine = machine(2048, [("tsize", "0")])
        _ = machine.start(now: 0)
        _ = machine.received(.acknowledgement(0), now: 1)
        _ = machine.received(.acknowledgement(1), now: 1)
        let end = TransferMachine.Action.end(.aborted(code: 8, message: "no memory"))
        #expect(machine.received(.error(code: 8, message: "no memory"), now: 2) == end)
    }

    @Test func anotherErrorCodeIsNoProbe() {
        var machine = machine(1024, [("tsize", "0")])
        _ = machine.start(now: 0)
        #expect(machine.received(.error(code: 3, message: ""), now: 1) == .end(.aborted(code: 3, message: "")))
    }

    @Test func aRepeatedRequestIsLeftToTheTimer() {
        var machine = machine()
        _ = machine.start(now: 0)
        #expect(machine.received(.read(ReadRequest(fileName: "a")), now: 1) == nil)
        #expect(machine.received(.write, now: 1) == nil)
    }
}
