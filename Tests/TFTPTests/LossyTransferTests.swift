import TFTP
import Testing

/// Whole transfers over bad networks: every one must deliver exactly the file's bytes.
@Suite struct LossyTransferTests {
    private struct Case {
        let file: [UInt8]
        let client: ReferenceClient
        let conditions: NetworkConditions
        let seed: UInt64

        /// Everything about a case follows from its seed.
        init(seed: UInt64) {
            self.seed = seed
            var generator = SeededGenerator(seed: seed)
            var options: [(name: String, value: String)] = []
            if generator.chance(0.5) { options.append(("tsize", "0")) }
            var block = 512
            if generator.chance(0.7) {
                let asked = generator.pick([8, 9, 64, 512, 1024, 1432, 1468, 65464])
                options.append(("blksize", String(asked)))
                block = min(asked, 1468)
            }
            var window = 1
            if generator.chance(0.5) {
                let asked = generator.pick([1, 2, 4, 7, 16, 64, 100])
                options.append(("windowsize", String(asked)))
                window = min(asked, 64)
            }
            if generator.chance(0.2) { options.append(("timeout", generator.pick(["1", "2", "5"]))) }
            options.shuffle(using: &generator)
            let size = generator.pick([
                0, 1, block - 1, block, block + 1, block * window - 1, block * window, block * window + 1,
                block * min(3 * window, 60) + Int.random(in: 0..<block, using: &generator),
            ])
            file = generator.bytes(size)
            client = ReferenceClient(
                path: "file", options: options, retryInterval: generator.pick([250, 700, 1000, 3000]),
                strayPolicy: generator.pick(ReferenceClient.StrayPolicy.allCases))
            let slowest = generator.pick([1, 5, 40, 200] as [Int64])
            conditions = NetworkConditions(
                loss: generator.pick([0, 0.01, 0.05, 0.15]), duplication: generator.pick([0, 0.05, 0.3]),
                delay: (generator.chance(0.5) ? slowest : 1)...slowest)
        }
    }

    /// 55 x 200 transfers, each of its own kind.
    @Test(arguments: 0..<55)
    func deliversExactlyTheFile(_ batch: Int) {
        var unheard = 0
        for number in 0..<200 {
            let example = Case(seed: UInt64(batch * 200 + number))
            let result = TransferSimulation.run(
                file: example.file, client: example.client, conditions: example.conditions, seed: example.seed)
            #expect(result.client.delivered(example.file), "seed \(example.seed)")
            // The client answers for as long as the server repeats, so the server learns that all arrived, unless so many
            // packets are lost one after another that it has to give up.
            if result.outcomes.first == .timedOut, example.conditions.loss > 0.1 {
                unheard += 1
            } else {
                #expect(result.outcomes.first == .completed, "seed \(example.seed)")
            }
            if example.client.options.contains(where: { $0.name == "tsize" }), result.client.totalSize != nil {
                #expect(result.client.totalSize == Int64(example.file.count), "seed \(example.seed)")
            }
        }
        #expect(unheard <= 1)
    }

    private static let manyBlocks = 70_000

    @Test(arguments: [(1, 0.001), (16, 0.0), (64, 0.005)])
    func goesOnAfterBlock65535(_ window: Int, _ loss: Double) {
        var generator = SeededGenerator(seed: 3)
        let file = generator.bytes(8 * Self.manyBlocks)
        let client = ReferenceClient(
            path: "file", options: [("blksize", "8"), ("windowsize", String(window))], retryInterval: 300)
        let result = TransferSimulation.run(
            file: file, client: client, conditions: NetworkConditions(loss: loss), seed: 4)
        #expect(result.blockCount == Int64(Self.manyBlocks) + 1)
        #expect(result.client.delivered(file))
        #expect(result.outcomes == [.completed])
    }

    @Test(arguments: [65535, 65536])
    func endsAtTheWrap(_ fullBlocks: Int) {
        var generator = SeededGenerator(seed: 5)
        let file = generator.bytes(8 * fullBlocks)
        let client = ReferenceClient(path: "file", options: [("blksize", "8"), ("windowsize", "64")])
        let result = TransferSimulation.run(file: file, client: client)
        #expect(result.client.delivered(file))
        #expect(result.outcomes == [.completed])
        #expect(result.dataPackets == fullBlocks + 1)
    }

    @Test func aClientThatVanishesIsGivenUp() {
        let client = ReferenceClient(path: "file")
        let result = TransferSimulation.run(
            file: [UInt8](repeating: 1, count: 5000), client: client,
            conditions: NetworkConditions(lostData: Set(3...10_000)))
        #expect(result.outcomes.first == .timedOut)
    }
}
