import ConfigurationFile
import Fixtures
import Site
import Testing

/// Whatever the bytes are, reading ends with a site or with findings, never with a crash.
@Suite struct HostileFileTests {
    @Test func survives2000Mutations() {
        var random = SeededGenerator(seed: 2000)
        let lines = ExampleSite.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for _ in 0..<2000 {
            var mutated = lines.map { Array($0) }
            for _ in 0...Int.random(in: 0...2, using: &random) { mutate(&mutated, &random) }
            let reading = Site.parse(Array(mutated.joined(separator: [UInt8(ascii: "\n")])))
            let hasErrors = reading.diagnostics.contains { $0.severity == .error }
            #expect((reading.site == nil) == hasErrors)
            #expect(reading.diagnostics.allSatisfy { $0.position.line >= 1 && $0.position.column >= 1 })
        }
    }

    private func mutate(_ lines: inout [[UInt8]], _ random: inout SeededGenerator) {
        guard let index = lines.indices.randomElement(using: &random) else { return }
        let other = lines.indices.randomElement(using: &random) ?? index
        switch Int.random(in: 0...6, using: &random) {
        case 0: lines.remove(at: index)
        case 1: lines.insert(lines[index], at: other)
        case 2: lines.swapAt(index, other)
        case 3: lines[index] = random.bytes(Int.random(in: 0...20, using: &random))
        case 4:
            lines[index].insert(contentsOf: [UInt8](repeating: 32, count: Int.random(in: 1...4, using: &random)), at: 0)
        case 5: lines[index].removeLast(Int.random(in: 0...lines[index].count, using: &random))
        default:
            guard let column = lines[index].indices.randomElement(using: &random) else { return }
            lines[index][column] ^= 1 << UInt8.random(in: 0...7, using: &random)
        }
    }

    @Test(arguments: ["[", "{a: ", "- ", "? ", "a:\n ", "!!", "&a ", "*a", "\"", "|\n", "%", "<<: "])
    func survivesEndlessRepetition(_ piece: String) {
        #expect(BaseSite.parse(String(repeating: piece, count: 20_000)).site == nil)
    }

    /// Each level holds the one before nine times: 9^20 values when written out.
    @Test(.timeLimit(.minutes(1))) func survivesAliasesOfAliases() {
        var text = BaseSite.text + "a0: &a0 x\n"
        for level in 1...20 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(BaseSite.parse(text).site == nil)
    }
}
