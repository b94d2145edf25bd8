import Foundation
import TestSupport

/// Scripts that are made for each machine, of a site with 10,000 hosts: against a Go handler that fills the same text in, and
/// nginx with a file of that size. The load is wrk's.
struct ScriptFigures {
    let bench: Benchmark
    private static let hosts = 10_000

    func measure(_ results: inout Results) async throws {
        try await BenchmarkServer.with(bench, site: BootSite.yaml(hosts: Self.hosts)) { server in
            let folder = bench.workplace.appending(path: "root")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            for (name, megabytes) in [("linux", 8), ("initrd", 60)] {
                try await CommandRunner.local.run([
                    "bash", "-c", "head -c \(megabytes)M /dev/urandom >\(folder.path)/\(name)",
                ])
            }
            try await CommandRunner.local.run(
                server.command("push", "bench:1", folder.path + "/linux", folder.path + "/initrd"))
            let script = try await CommandRunner.local.run([
                "curl", "-fsS", "http://127.0.0.1:\(BenchmarkServer.httpPort)" + BootSite.scriptPath(7),
            ]).standardOutput
            guard script.contains("kernel --name linux"), script.contains(BootSite.name(7)) else {
                throw BenchmarkFailure("no script that boots: \(script)")
            }
            try Data(script.utf8).write(to: folder.appending(path: "small"))
            let template = script.replacing(BootSite.name(7), with: "{{.Name}}")
            try await Peer.with(.nginx, root: folder, in: bench) { nginx in
                try await Peer.withScriptServer(template: template, hosts: Self.hosts, in: bench) { go in
                    let subjects = [
                        Subject("provisioner", BenchmarkServer.httpPort, ProcessTree(root: server.program.processID)),
                        Subject(go.name, go.port, go.tree), Subject(nginx.name, nginx.port, nginx.tree, path: "/small"),
                    ]
                    try await keptAlive(subjects, script.utf8.count, &results)
                    try await anew(subjects, &results)
                }
            }
        }
    }

    private struct Subject {
        let name: String
        let port: Int
        let tree: ProcessTree
        /// One path for all; nil: each machine's own.
        let path: String?

        init(_ name: String, _ port: Int, _ tree: ProcessTree, path: String? = nil) {
            (self.name, self.port, self.tree, self.path) = (name, port, tree, path)
        }
    }

    private func keptAlive(_ subjects: [Subject], _ size: Int, _ results: inout Results) async throws {
        let series = try await series(subjects, "scripts", "keep-alive")
        let work = "iPXE script of \(size) bytes per machine, 10,000 hosts, 64 connections"
        results.compare("\(work); Go", series, "Go", "requests/s", digits: 0, asked: "1.5")
        results.compare("\(work); nginx, a file", series, "nginx", "requests/s", digits: 0, asked: "1.0")
        for (peer, asked) in [("Go", "at most 0.5"), ("nginx", "")] {
            results.add(
                "the same, p99; \(peer)", Results.text(series.median("provisioner", "p99"), "ms"),
                Results.text(series.median(peer, "p99"), "ms"), Results.text(series.ratio(peer, "p99")), asked: asked)
        }
    }

    private func anew(_ subjects: [Subject], _ results: inout Results) async throws {
        let series = try await series(subjects, "scripts, each over a new connection", "close")
        results.compare(
            "the same, a new connection each time; nginx, a file", series, "nginx", "requests/s", digits: 0,
            asked: "1.0")
        results.compare("the same; Go", series, "Go", "requests/s", digits: 0, asked: "")
    }

    private func series(_ subjects: [Subject], _ what: String, _ connection: String) async throws -> Series {
        var series = Series()
        for round in 1...bench.option("rounds") {
            for subject in subjects {
                let before = subject.tree.processorSeconds
                let outcome = try await wrk(subject, connection)
                series.add(subject.name, "rate", outcome.rate)
                series.add(subject.name, "p99", outcome.p99)
                // Microseconds for each request.
                series.add(
                    subject.name, "cpu", (subject.tree.processorSeconds - before) * 1e6 / outcome.requests)
            }
            bench.say("\(what), round \(round): \(series.last("rate")) requests/s")
        }
        return series
    }

    private func wrk(_ subject: Subject, _ connection: String) async throws -> (
        rate: Double, p99: Double, requests: Double
    ) {
        let script = bench.workplace.appending(path: "requests.lua").path
        try Data(Self.lua(connection, subject.path).utf8).write(to: URL(filePath: script))
        let text = try await CommandRunner.local.run([
            "wrk", "-t2", "-c64", "-d3s", "--latency", "-s", script, "http://127.0.0.1:\(subject.port)",
        ]).standardOutput
        func word(after name: String) -> String? {
            let line = text.split(separator: "\n").first { $0.drop { $0 == " " }.hasPrefix(name) }
            return line?.split(separator: " ").last.map(String.init)
        }
        guard let rate = word(after: "Requests/sec:").flatMap(Double.init),
            let p99 = word(after: "99%").flatMap(Self.milliseconds),
            let requests = text.split(separator: "\n").first(where: { $0.contains(" requests in ") })?
                .split(separator: " ").first.flatMap({ Double($0) }),
            !text.contains("Non-2xx"), connection == "close" || !text.contains("Socket errors")
        else { throw BenchmarkFailure("wrk of \(subject.name) says: \(text)") }
        return (rate, p99, requests)
    }

    private static func milliseconds(_ text: String) -> Double? {
        for (unit, factor) in [("us", 0.001), ("ms", 1), ("s", 1000)] where text.hasSuffix(unit) {
            return Double(text.dropLast(unit.count)).map { $0 * factor }
        }
        return nil
    }

    /// Requests that were made before the time counts, each for another machine.
    private static func lua(_ connection: String, _ path: String?) -> String {
        let made = """
            string.format("\(BootSite.scriptPath(0).replacing(BootSite.mac(0).replacing(":", with: "-"), with: "52-54-00-%02x-%02x-%02x"))", \
            math.floor(i / 65536), math.floor(i / 256) % 256, i % 256)
            """
        // Written out: wrk.format puts a head's lines in another order each time, and a machine does not.
        return """
            local rest = " HTTP/1.1\\r\\nHost: bench\\r\\nConnection: \(connection)\\r\\n\\r\\n"
            local requests, n = {}, 0
            init = function(args)
                for i = 0, \(hosts - 1) do
                    requests[i] = "GET " .. \(path.map { "\"\($0)\"" } ?? made) .. rest
                end
            end
            request = function()
                n = (n + 7919) % \(hosts)
                return requests[n]
            end
            """
    }
}
