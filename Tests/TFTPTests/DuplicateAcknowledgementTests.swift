import TFTP
import Testing

/// The Sorcerer's Apprentice (RFC 1123 section 4.2.3.1): a repeated ACK must not multiply the packets that follow,
/// and must still recover a lost block without waiting for the server's timer. Counted in a simulation.
@Suite struct DuplicateAcknowledgementTests {
    private func fetch(
        _ blocks: Int, _ conditions: NetworkConditions, window: Int = 1, retryInterval: Int64 = 1000
    ) -> TransferSimulation.Result {
        let options = window > 1 ? [("windowsize", String(window))] : []
        let client = ReferenceClient(path: "a", options: options, retryInterval: retryInterval)
        return TransferSimulation.run(
            file: [UInt8](repeating: 7, count: 512 * blocks), client: client, conditions: conditions)
    }

    private func expectComplete(_ result: TransferSimulation.Result) {
        #expect(result.client.state == .finished)
        #expect(result.outcomes == [.completed])
    }

    @Test(arguments: [0, 1, 10, 19, 21, 30, 45, 59] as [Int64])
    func everyPacketOfTheClientTwice(_ echo: Int64) {
        let result = fetch(500, NetworkConditions(delay: 30...30, echo: echo))
        expectComplete(result)
        #expect(Int64(result.dataPackets) <= result.blockCount + 2, "\(result.dataPackets) packets")
    }

    @Test(arguments: [0, 10, 21, 45] as [Int64])
    func everyPacketOfAWindowedClientTwice(_ echo: Int64) {
        let result = fetch(500, NetworkConditions(delay: 30...30, echo: echo), window: 8)
        expectComplete(result)
        #expect(Int64(result.dataPackets) <= result.blockCount + 16, "\(result.dataPackets) packets")
    }

    /// Who lost the first block of a window has nothing to acknowledge but what it did before; packets are counted from 0. The first
    /// of the third window, and that of the fourteenth, after 8 that were sent again.
    @Test func theFirstBlockOfAWindowIsRepeatedAtOnce() throws {
        let result = fetch(200, NetworkConditions(lostData: [16, 112]), window: 8, retryInterval: 5000)
        expectComplete(result)
        #expect(try #require(result.finishedAt) < 500)
        #expect(Int64(result.dataPackets) == result.blockCount + 16)
    }

    /// After another one is lost, what comes behind it says so as well, and is no loss of its own.
    @Test func anotherBlockOfAWindowIsRepeatedOnce() throws {
        let result = fetch(200, NetworkConditions(lostData: [18]), window: 8, retryInterval: 5000)
        expectComplete(result)
        #expect(try #require(result.finishedAt) < 500)
        #expect(Int64(result.dataPackets) == result.blockCount + 6)
    }

    @Test func everyPacketOfBothSidesTwice() {
        let result = fetch(500, NetworkConditions(duplication: 1, delay: 5...5))
        expectComplete(result)
        #expect(Int64(result.dataPackets) == result.blockCount)
    }

    @Test func aClientThatRepeatsItselfFasterThanTheRoundTrip() {
        let result = fetch(300, NetworkConditions(delay: 40...40), retryInterval: 25)
        expectComplete(result)
        #expect(Int64(result.dataPackets) <= result.blockCount + 4, "\(result.dataPackets) packets")
    }

    /// One premature repetition must not be echoed for the rest of the transfer.
    @Test func aSlowPathDoesNotMultiplyEither() {
        let result = fetch(300, NetworkConditions(delay: 100...140), retryInterval: 230)
        expectComplete(result)
        #expect(Double(result.dataPackets) <= 1.2 * Double(result.blockCount), "\(result.dataPackets) packets")
    }

    @Test func aLostBlockIsRepeatedWhenTheClientAsksAgain() throws {
        let result = fetch(50, NetworkConditions(lostData: [10]), retryInterval: 250)
        expectComplete(result)
        // 51 round trips of 2 ms, and one wait for the client's timer: the server's own would add a second.
        #expect(try #require(result.finishedAt) < 500)
        #expect(Int64(result.dataPackets) == result.blockCount + 1)
    }

    @Test func aLossRightAfterALossIsRecoveredAsQuickly() throws {
        let result = fetch(50, NetworkConditions(lostData: [10, 11, 13]), retryInterval: 250)
        expectComplete(result)
        #expect(try #require(result.finishedAt) < 1500)
    }

    @Test func aBlockLostInsideAWindowCostsOneWindow() throws {
        let result = fetch(200, NetworkConditions(lostData: [20]), window: 16)
        expectComplete(result)
        #expect(try #require(result.finishedAt) < 300)
        #expect(Int64(result.dataPackets) <= result.blockCount + 32)
    }
}
