import BootPlane
import Site
import Testing

/// What admission control is for, shown by simulation: `swift test --filter BootStormTests` prints the figures.
@Suite struct BootStormTests {
    private static let rates = [125e6, 312.5e6, 1250e6]

    private static func compare(
        _ machines: Int, _ link: Double, patience: Int64?
    ) -> (without: StormSimulation.Result, with: StormSimulation.Result) {
        var storm = StormSimulation.Storm(machines: machines, link: link, patience: patience)
        // Where machines never end, three times as long as it takes is enough to see it.
        let limit = 3000 * Double(storm.bytes) * Double(machines) / link + 600_000
        let without = StormSimulation.run(storm, limit: limit)
        storm.budget = BootBudget()
        let with = StormSimulation.run(storm, limit: limit)
        let what =
            "\(machines) machines, \(link * 8 / 1e9) Gbit/s, patience \(patience.map { "\($0 / 1000) s" } ?? "without end")"
        func figures(_ result: StormSimulation.Result) -> String {
            "\(result.ends.count) loaded"
                + (result.ends.isEmpty ? "" : ", median \(result.median / 1000) s, last \(result.last / 1000) s")
        }
        print("\(what): without \(figures(without)); with \(figures(with))")
        return (without, with)
    }

    /// Where every machine waits as long as it takes, the link is busy either way: half of the machines run in half of the time,
    /// and the last is not late.
    @Test(arguments: [1000, 10_000], rates)
    func theMedianMachineIsDoneInHalfOfTheTime(_ machines: Int, _ link: Double) {
        let (without, with) = Self.compare(machines, link, patience: nil)
        #expect(without.ends.count == machines && with.ends.count == machines)
        #expect(Double(with.median) < 0.85 * Double(without.median))
        #expect(Double(with.last) < 1.03 * Double(without.last) + 3000)
    }

    /// Where machines give up after five minutes and begin anew, what they had is lost, and with too many at once none of them
    /// ends: then the last is earlier, too.
    @Test(arguments: [1000, 10_000], rates)
    func machinesThatGiveUpAreServed(_ machines: Int, _ link: Double) {
        let (without, with) = Self.compare(machines, link, patience: 300_000)
        #expect(with.ends.count == machines)
        #expect(Double(with.median) < 0.85 * Double(without.median))
        #expect(
            with.last < without.last || without.ends.count < machines
                || Double(with.last) < 1.03 * Double(without.last) + 3000)
    }
}
