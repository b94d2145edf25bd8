import Foundation
import Glibc
import TestSupport

/// `make bench`: measures the released programs, each with its peer in the same rounds, and writes a table. Figures are
/// medians; ratios are medians of the ratios of each round, for machines change from minute to minute.
///
/// `bench PROGRAMS WORKPLACE RESULTS [KEY=VALUE...]`: the folder of the programs, a folder on the disk to measure, the table.
@main
struct Benchmark {
    let programs: URL
    let workplace: URL
    let options: [String: Int]

    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4 else {
            print("usage: bench PROGRAMS WORKPLACE RESULTS [rounds=3] [gib=4] [files=50000] [artifacts=100000]")
            exit(2)
        }
        var options = ["rounds": 3, "gib": 4, "files": 50_000, "artifacts": 100_000, "layers": 3]
        for argument in arguments.dropFirst(4) {
            let parts = argument.split(separator: "=").map(String.init)
            guard parts.count == 2, options[parts[0]] != nil, let value = Int(parts[1]), value > 0 else {
                print("\(argument): \(options.keys.sorted().joined(separator: ", ")) can be set, such as rounds=5")
                exit(2)
            }
            options[parts[0]] = value
        }
        do {
            // A folder of its own, so that whatever else is there stays.
            let workplace = URL(filePath: arguments[2]).appending(path: "bench-\(UUID().uuidString)")
            let benchmark = Benchmark(
                programs: URL(filePath: arguments[1]), workplace: workplace, options: options)
            let table = try await benchmark.measure()
            try Data(table.utf8).write(to: URL(filePath: arguments[3]))
            print(table)
        } catch {
            print("FAILED: \(error)")
            exit(1)
        }
    }

    private func measure() async throws -> String {
        try FileManager.default.createDirectory(at: workplace, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: workplace) }
        let needed = Int64(option("gib")) << 30 * Int64(1 + 2 * option("rounds")) + 4 << 30
        let free = try workplace.resourceValues(forKeys: [.volumeAvailableCapacityKey]).volumeAvailableCapacity ?? 0
        guard Int64(free) > needed else {
            throw TestSupportError(
                .missingRequirement,
                "\(workplace.path) has room for \(free >> 30) GiB and \(needed >> 30) are needed: take another place, or gib=1"
            )
        }
        var results = Results()
        try await StoreFigures(bench: self).largeFile(&results)
        try await StoreFigures(bench: self).tree(&results)
        try await StoreFigures(bench: self).manyArtifacts(&results)
        try await RegistryFigures(bench: self).pushAndPull(&results)
        return results.table
    }

    /// A value that the command line may set.
    func option(_ name: String) -> Int { options[name] ?? 1 }

    /// Runs a command and tells how many seconds it took.
    func seconds(_ command: [String], timeLimit: Duration = .seconds(1800)) async throws -> Double {
        let start = ContinuousClock.now
        try await CommandRunner.local.run(command, timeLimit: timeLimit)
        return (ContinuousClock.now - start) / .seconds(1)
    }

    /// A line for whoever waits.
    func say(_ text: String) {
        FileHandle.standardOutput.write(Data("bench: \(text)\n".utf8))
    }
}

/// Rows of the table.
struct Results {
    private var rows: [[String]] = [["work", "provisioner", "peer", "ratio", "asked for"]]

    mutating func add(_ work: String, _ ours: String, _ peer: String = "", _ ratio: String = "", asked: String) {
        rows.append([work, ours, peer, ratio, asked])
    }

    /// As Markdown.
    var table: String {
        let lines = rows.map { "| " + $0.joined(separator: " | ") + " |" }
        return ([lines[0], "|---|---|---|---|---|"] + lines.dropFirst()).joined(separator: "\n") + "\n"
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    static func text(_ value: Double, _ unit: String = "", digits: Int = 2) -> String {
        String(format: "%.\(digits)f", value) + (unit.isEmpty ? "" : " \(unit)")
    }
}
