import Foundation
import Glibc
import TestSupport

/// One file of 1 GiB in the page cache over HTTP, against nginx, lighttpd and caddy; and small answers beside eight downloads.
struct LargeFileFigures {
    let bench: Benchmark

    func measure(_ results: inout Results) async throws {
        let root = bench.workplace.appending(path: "root")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        let file = root.appending(path: "large").path
        try await CommandRunner.local.run(
            ["bash", "-c", "head -c 1G /dev/urandom >\(file); head -c 900 /dev/urandom >\(root.path)/small"],
            timeLimit: .seconds(600))
        defer { try? FileManager.default.removeItem(at: root) }
        try await BenchmarkServer.with(bench, site: BootSite.yaml(hosts: 16)) { server in
            try await CommandRunner.local.run(server.command("push", "bench:1", file), timeLimit: .seconds(600))
            try await CommandRunner.local.run(["dd", "if=\(file)", "of=/dev/null", "bs=1M", "status=none"])
            let ours = Subject(
                name: "provisioner", endpoint: server.http, path: "/bench:1/large", small: BootSite.scriptPath(3),
                tree: ProcessTree(root: server.program.processID))
            try await Peer.with(.nginx, root: root, in: bench) { nginx in
                try await Peer.with(.lighttpd, root: root, in: bench) { lighttpd in
                    try await Peer.with(.caddy, root: root, in: bench) { caddy in
                        let subjects = [ours] + [nginx, lighttpd, caddy].map { Subject($0) }
                        for connections in [4, 16, 64, 256] {
                            try await downloads(connections, subjects, &results)
                        }
                        try await beside(Array(subjects[..<2]), &results)
                    }
                }
            }
        }
    }

    fileprivate struct Subject {
        let name: String
        let endpoint: sockaddr_in
        let path: String
        let small: String
        let tree: ProcessTree
    }

    private func downloads(_ connections: Int, _ subjects: [Subject], _ results: inout Results) async throws {
        var series = Series()
        for round in 1...bench.option("rounds") {
            for subject in subjects {
                let load = DownloadLoad(server: subject.endpoint, path: subject.path, connections: connections)
                let (before, beforeOwn) = (subject.tree.processorSeconds, Self.ownProcessorSeconds)
                let begin = LoopbackSocket.now()
                let outcome = try await onThread { try load.run(seconds: 2) }
                let gigabytes = outcome.bytes / 1e9
                // The processor's seconds are of the whole run, the warm-up included.
                let share = outcome.seconds / (LoopbackSocket.now() - begin)
                series.add(subject.name, "rate", gigabytes / outcome.seconds)
                let (server, own) = (
                    subject.tree.processorSeconds - before, Self.ownProcessorSeconds - beforeOwn
                )
                series.add(subject.name, "cpu", server * share / gigabytes)
                series.add(subject.name, "both", (server + own) * share / gigabytes)
            }
            bench.say("1 GiB file, \(connections) connections, round \(round): \(series.last("rate")) GB/s")
        }
        let asked = ["nginx": "1.1; CPU at most 1", "lighttpd": "0.9"]
        for peer in subjects.dropFirst() {
            results.compare(
                "1 GiB file, \(connections) connections; \(peer.name)", series, peer.name, "GB/s",
                asked: asked[peer.name] ?? "")
        }
        // On loopback a segment is sent by whoever makes room for it: a server that keeps its queues full has its client do it.
        results.add(
            "the same, processor time of server and client together; nginx",
            Results.text(series.median("provisioner", "both"), "s/GB"),
            Results.text(series.median("nginx", "both"), "s/GB"), Results.text(series.ratio("nginx", "both")), asked: ""
        )
    }

    /// Of this process, which is the client.
    private static var ownProcessorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private func beside(_ subjects: [Subject], _ results: inout Results) async throws {
        var series = Series()
        for round in 1...bench.option("rounds") {
            for subject in subjects {
                let load = DownloadLoad(server: subject.endpoint, path: subject.path, connections: 8)
                let probe = ProbeLoad(server: subject.endpoint, path: subject.small)
                let (stop, started) = (Flag(), Flag())
                async let downloads = onThread { try load.run(seconds: 60, stop: stop, started: started) }
                while !started.isSet { try await Task.sleep(for: .milliseconds(5)) }
                let times = try await onThread {
                    defer { stop.set() }
                    return try probe.run(seconds: 4)
                }
                _ = try await downloads
                series.add(subject.name, "p99", times.percentile(99))
                series.add(subject.name, "median", times.percentile(50))
            }
            bench.say("scripts beside 8 downloads, round \(round): p99 \(series.last("p99")) ms")
        }
        for name in ["median", "p99"] {
            results.add(
                "a script (of nginx a file) beside 8 downloads, \(name); nginx",
                Results.text(series.median("provisioner", name), "ms"),
                Results.text(series.median("nginx", name), "ms"),
                Results.text(series.ratio("nginx", name)), asked: name == "p99" ? "at most 1" : "")
        }
    }
}

extension LargeFileFigures.Subject {
    fileprivate init(_ peer: Peer) {
        self.init(name: peer.name, endpoint: peer.endpoint, path: "/large", small: "/small", tree: peer.tree)
    }
}
