import Foundation
import Glibc
import TestSupport

/// `make bench`: measures the released programs, each with its peer in the same rounds, and writes a table. Figures are
/// medians; ratios are medians of the ratios of each round, for machines change from minute to minute.
///
/// `bench PROGRAMS PEERS WORKPLACE RESULTS [PART...] [KEY=VALUE...]`: the folders of the programs and of peers that are only unpacked,
/// a folder on the disk to measure, the table (the plot goes beside it), and what to measure, if not all.
@main
struct Benchmark {
    /// What can be measured by itself.
    enum Part: String, CaseIterable {
        case store, registry, files, scripts, tftp, windows, storm, start
    }

    let programs: URL
    let peers: URL
    let workplace: URL
    let parts: Set<Part>
    let options: [String: Int]

    static func main() async {
        let arguments = CommandLine.arguments
        let names = Part.allCases.map(\.rawValue).joined(separator: " ")
        guard arguments.count >= 5 else {
            print(
                "usage: bench PROGRAMS PEERS WORKPLACE RESULTS [\(names)] [rounds=5] [gib=4] [files=50000] [artifacts=100000]"
            )
            exit(2)
        }
        var parts: Set<Part> = []
        var options = ["rounds": 5, "gib": 4, "files": 50_000, "artifacts": 100_000, "layers": 3]
        for argument in arguments.dropFirst(5) {
            if let part = Part(rawValue: argument) {
                parts.insert(part)
                continue
            }
            let pair = argument.split(separator: "=").map(String.init)
            guard pair.count == 2, options[pair[0]] != nil, let value = Int(pair[1]), value > 0 else {
                print(
                    "\(argument): parts are \(names); \(options.keys.sorted().joined(separator: ", ")) can be set, such as rounds=5"
                )
                exit(2)
            }
            options[pair[0]] = value
        }
        do {
            // A folder of its own, so that whatever else is there stays.
            let workplace = URL(filePath: arguments[3]).appending(path: "bench-\(UUID().uuidString)")
            let benchmark = Benchmark(
                programs: URL(filePath: arguments[1]), peers: URL(filePath: arguments[2]).absoluteURL,
                workplace: workplace.absoluteURL, parts: parts.isEmpty ? Set(Part.allCases) : parts, options: options)
            let results = try await benchmark.measure()
            let file = URL(filePath: arguments[4]).absoluteURL
            try Data(results.table.utf8).write(to: file)
            try await Plot.draw(results.bars, to: file.deletingPathExtension().appendingPathExtension("svg"))
            print(results.table)
            if results.hasFailed { exit(1) }
        } catch {
            print("FAILED: \(error)")
            exit(1)
        }
    }

    private func measure() async throws -> Results {
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
        for part in Part.allCases where parts.contains(part) {
            // What one part cannot do costs nobody the figures of the others.
            do {
                try await measure(part, &results)
            } catch {
                results.fail("\(part.rawValue): \(error)")
                say("FAILED: \(part.rawValue): \(error)")
            }
        }
        return results
    }

    private func measure(_ part: Part, _ results: inout Results) async throws {
        switch part {
        case .store:
            try await StoreFigures(bench: self).largeFile(&results)
            try await StoreFigures(bench: self).tree(&results)
            try await StoreFigures(bench: self).manyArtifacts(&results)
        case .registry: try await RegistryFigures(bench: self).pushAndPull(&results)
        case .files: try await LargeFileFigures(bench: self).measure(&results)
        case .scripts: try await ScriptFigures(bench: self).measure(&results)
        case .tftp: try await TFTPFigures(bench: self).lockStep(&results)
        case .windows: try await TFTPFigures(bench: self).windows(&results)
        case .storm: try await StormFigures(bench: self).measure(&results)
        case .start: try await StartFigures(bench: self).measure(&results)
        }
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
    private var rows: [[String]] = [
        ["work; peer", "provisioner", "peer", "ratio", "processor time, ours, peer's", "asked for"]
    ]
    private var notes: [String] = []
    /// What the plot shows.
    private(set) var bars: [(work: String, ratio: Double)] = []

    mutating func add(_ work: String, _ ours: String, _ peer: String = "", _ ratio: String = "", asked: String) {
        rows.append([work, ours, peer, ratio, "", asked])
    }

    /// Rates and processor time of ours and of one peer.
    mutating func compare(
        _ work: String, _ series: Series, _ peer: String, _ unit: String, digits: Int = 2, asked: String
    ) {
        let (rate, cost) = (series.ratio(peer, "rate"), series.ratio(peer, "cpu"))
        let unitOfCost = unit == "requests/s" ? "µs" : "s/GB"
        let costs = ["provisioner", peer].map { Self.text(series.median($0, "cpu"), unitOfCost) }.joined(
            separator: ", ")
        rows.append([
            work, Self.text(series.median("provisioner", "rate"), unit, digits: digits),
            Self.text(series.median(peer, "rate"), unit, digits: digits), Self.text(rate),
            "\(costs): \(Self.text(cost))", asked,
        ])
        bars.append((work, rate))
    }

    /// A part that could not be measured to its end.
    mutating func fail(_ text: String) {
        hasFailed = true
        notes.append("FAILED: \(text)")
    }

    private(set) var hasFailed = false

    /// A line below the table.
    mutating func note(_ text: String) { notes.append(text) }

    /// As Markdown.
    var table: String {
        let lines = rows.map { "| " + $0.joined(separator: " | ") + " |" }
        return ([lines[0], "|---|---|---|---|---|---|"] + lines.dropFirst()).joined(separator: "\n") + "\n"
            + (notes.isEmpty ? "" : "\n" + notes.map { "- \($0)\n" }.joined())
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
