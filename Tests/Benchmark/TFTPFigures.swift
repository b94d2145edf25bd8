import Foundation
import Glibc
import TestSupport

/// A file of 64 MiB over TFTP, against tftpd-hpa, atftpd and dnsmasq.
struct TFTPFigures {
    let bench: Benchmark

    private struct Subject {
        let name: String
        let endpoint: sockaddr_in
        let file: String
        let tree: ProcessTree
    }

    private struct Work {
        let clients: Int
        let blockSize: Int
        var windowSize = 1
        var lossPerThousand = 0
        var isPinned = false
        /// Of the peers; nil: all.
        var peers: [Peer.TFTP] = Peer.TFTP.allCases
        let asked: String

        var text: String {
            var text = "TFTP, blksize \(blockSize), \(clients == 1 ? "one client" : "\(clients) clients")"
            if windowSize > 1 { text += ", windowsize \(windowSize)" }
            if lossPerThousand > 0 { text += ", \(lossPerThousand / 10) % loss" }
            if isPinned { text += ", all on one processor" }
            return text
        }
    }

    /// In lock-step, as firmware loads.
    func lockStep(_ results: inout Results) async throws {
        var works: [Work] = []
        for blockSize in [512, 1468, 8192, 65464] {
            for clients in [32, 128, 512] {
                works.append(Work(clients: clients, blockSize: blockSize, asked: "1.25; CPU at most 0.8"))
            }
        }
        works.append(Work(clients: 1, blockSize: 1468, isPinned: true, asked: "1.0"))
        try await measure(works, &results)
    }

    /// With windows, which only one of the peers has.
    func windows(_ results: inout Results) async throws {
        try await measure(
            [
                Work(clients: 32, blockSize: 1468, windowSize: 16, peers: [.atftpd], asked: "3"),
                Work(clients: 1, blockSize: 1468, windowSize: 64, peers: [.atftpd], asked: "4.5"),
                Work(clients: 1, blockSize: 1468, windowSize: 16, lossPerThousand: 10, peers: [.atftpd], asked: "6"),
            ], &results)
    }

    private func measure(_ works: [Work], _ results: inout Results) async throws {
        let root = bench.workplace.appending(path: "root")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        let file = root.appending(path: "file").path
        try await CommandRunner.local.run([
            "bash", "-c", "head -c 64M /dev/urandom >\(file); chmod -R a+rX \(root.path)",
        ])
        let content = [UInt8](try Data(contentsOf: URL(filePath: file)))
        for work in works { try await measure(work, root, file, content, &results) }
    }

    private func measure(
        _ work: Work, _ root: URL, _ file: String, _ content: [UInt8], _ results: inout Results
    ) async throws {
        var series = Series()
        var failures: [String: Int] = [:]
        var growth = 0.0
        for round in 1...bench.option("rounds") {
            try await BenchmarkServer.with(bench, site: BootSite.yaml(hosts: 1)) { server in
                try await CommandRunner.local.run(server.command("push", "bench:1", file))
                let tree = ProcessTree(root: server.program.processID)
                let ours = Subject(name: "provisioner", endpoint: server.tftp, file: "bench:1/file", tree: tree)
                let before = tree.residentMiB
                failures[ours.name, default: 0] += try await load(work, ours, content, &series)
                growth = max(growth, tree.residentMiB - before)
            }
            for peer in work.peers {
                try await Peer.with(peer, root: root, in: bench) { peer in
                    let subject = Subject(name: peer.name, endpoint: peer.endpoint, file: "file", tree: peer.tree)
                    failures[peer.name, default: 0] += try await load(work, subject, content, &series)
                }
            }
            bench.say("\(work.text), round \(round): \(series.last("rate")) MB/s")
        }
        let best = work.peers.map(\.rawValue).max { series.median($0, "rate") < series.median($1, "rate") } ?? ""
        results.compare("\(work.text); \(best)", series, best, "MB/s", digits: 0, asked: work.asked)
        let told = failures.filter { $0.value > 0 }.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", ")
        results.note(
            "\(work.text): failed transfers: \(told.isEmpty ? "none" : told); our memory grew by \(Results.text(growth, "MiB", digits: 1))"
        )
    }

    private func load(_ work: Work, _ subject: Subject, _ content: [UInt8], _ series: inout Series) async throws -> Int
    {
        var load = TFTPLoad(
            server: subject.endpoint, name: subject.file, content: content, clients: work.clients,
            blockSize: work.blockSize, windowSize: work.windowSize, lossPerThousand: work.lossPerThousand)
        if work.lossPerThousand > 0 { load.patience = 0.05 }
        if work.isPinned { for process in [subject.tree.root, getpid()] { try await allow(process, "1") } }
        let before = subject.tree.processorSeconds
        let begin = LoopbackSocket.now()
        let outcome = try await onThread { [load] in try load.run(seconds: 2) }
        let share = outcome.seconds / (LoopbackSocket.now() - begin)
        if work.isPinned { try await allow(getpid(), "ffff") }
        series.add(subject.name, "rate", outcome.bytes / 1e6 / outcome.seconds)
        series.add(subject.name, "cpu", (subject.tree.processorSeconds - before) * share * 1e9 / outcome.bytes)
        return outcome.failures
    }

    /// Which processors the threads of a process have, as a mask.
    private func allow(_ process: Int32, _ processors: String) async throws {
        try await CommandRunner.local.run(["taskset", "-a", "-p", processors, String(process)])
    }
}
