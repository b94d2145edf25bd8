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
        #expect(machine.start(now: 0) == [.sendBlocks(1...1)])
    }

    @Test func withOptionsDataComesAfterAcknowledgementZero() {
        var machine = machine(1024, [("tsize", "0"), ("windowsize", "2")])
        #expect(machine.start(now: 0) == [.sendOptionAcknowledgement])
        #expect(machine.received(.acknowledgement(1), now: 1) == [])
        #expect(machine.received(.acknowledgement(0), now: 1) == [.sendBlocks(1...2)])
        #expect(machine.received(.acknowledgement(2), now: 2) == [.sendBlocks(3...3)])
        #expect(machine.received(.acknowledgement(3), now: 3) == [.end(.completed)])
        #expect(machine.repeatedBlocks == 0)
    }

    @Test(arguments: [(0, 1), (1, 1), (511, 1), (512, 2), (513, 2), (1024, 3)] as [(Int64, Int64)])
    func theLastBlockIsAlwaysAShortOne(_ size: Int64, _ blocks: Int64) {
        #expect(machine(size).blockCount == blocks)
    }

    @Test func anAcknowledgementInsideTheWindowGoesBackToIt() {
        var machine = machine(512 * 20, [("windowsize", "8")])
        _ = machine.start(now: 0)
        #expect(machine.received(.acknowledgement(0), now: 1) == [.sendBlocks(1...8)])
        #expect(machine.received(.acknowledgement(3), now: 2) == [.sendBlocks(4...11)])
        #expect(machine.repeatedBlocks == 5)
    }

    @Test func acknowledgementsOfBlocksThatWereNotSentAreIgnored() {
        var machine = machine(512 * 20)
        _ = machine.start(now: 0)
        #expect(machine.received(.acknowledgement(2), now: 100) == [])
        #expect(machine.received(.acknowledgement(65535), now: 100) == [])
        #expect(machine.received(.acknowledgement(1), now: 100) == [.sendBlocks(2...2)])
    }

    /// 1 s, doubled to 8 s: seven waits, six repetitions.
    @Test func backsOffAndGivesUpAfterTheDocumentedRepetitions() {
        var machine = machine()
        _ = machine.start(now: 0)
        var waits: [Int64] = []
        var now: Int64 = 0
        for repetition in 0...TransferMachine.maximumRepetitions {
            waits.append(machine.deadline - now)
            #expect(machine.timerFired(now: machine.deadline - 1) == [])
            now = machine.deadline
            let last = repetition == TransferMachine.maximumRepetitions
            #expect(machine.timerFired(now: now) == (last ? [.end(.timedOut)] : [.sendBlocks(1...1)]))
        }
        #expect(waits == [1000, 2000, 4000, 8000, 8000, 8000, 8000])
        #expect(machine.timerFired(now: now + 100_000) == [])
        #expect(machine.received(.acknowledgement(1), now: now) == [])
        #expect(machine.repeatedBlocks == 6)
    }

    @Test func theOptionAcknowledgementIsRepeatedTheSameWay() {
        var machine = machine(10, [("tsize", "0")])
        _ = machine.start(now: 0)
        var sent = 0
        while machine.timerFired(now: machine.deadline) == [.sendOptionAcknowledgement] { sent += 1 }
        #expect(sent == TransferMachine.maximumRepetitions)
    }

    @Test func theClientsOwnTimeoutIsKeptWithoutBackOff() {
        var machine = machine(10, [("timeout", "3")])
        _ = machine.start(now: 0)
        for repetition in 1...Int64(TransferMachine.maximumRepetitions) {
            #expect(machine.deadline == repetition * 3000)
            _ = machine.timerFired(now: machine.deadline)
        }
        #expect(machine.timerFired(now: machine.deadline) == [.end(.timedOut)])
    }

    @Test func progressStartsTheTimerAnew() {
        var machine = machine(512 * 5)
        _ = machine.start(now: 0)
        _ = machine.timerFired(now: 1000)
        _ = machine.timerFired(now: 3000)
        #expect(machine.received(.acknowledgement(1), now: 3100) == [.sendBlocks(2...2)])
        #expect(machine.deadline == 4100)
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
        #expect(machine.received(.error(code: code, message: "User aborted"), now: 1) == [.end(.sizeProbe)])
        #expect(machine.received(.acknowledgement(0), now: 2) == [])
    }

    @Test func anErrorLaterIsAnAbort() {
        var machine = machine(2048, [("tsize", "0")])
        _ = machine.start(now: 0)
        _ = machine.received(.acknowledgement(0), now: 1)
        _ = machine.received(.acknowledgement(1), now: 1)
        let end = TransferMachine.Action.end(.aborted(code: 8, message: "no memory"))
        #expect(machine.received(.error(code: 8, message: "no memory"), now: 2) == [end])
    }

    @Test func anotherErrorCodeIsNoProbe() {
        var machine = machine(1024, [("tsize", "0")])
        _ = machine.start(now: 0)
        #expect(machine.received(.error(code: 3, message: ""), now: 1) == [.end(.aborted(code: 3, message: ""))])
    }

    @Test func aRepeatedRequestIsLeftToTheTimer() {
        var machine = machine()
        _ = machine.start(now: 0)
        #expect(machine.received(.read(ReadRequest(fileName: "a")), now: 1) == [])
        #expect(machine.received(.write, now: 1) == [])
    }
}
