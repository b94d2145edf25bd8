import Foundation
import Glibc
import TestSupport

/// From the start of the program to its first answer; and its memory idle, and with many connections and transfers.
struct StartFigures {
    let bench: Benchmark

    func measure(_ results: inout Results) async throws {
        var times: [Double] = []
        var idle: [Double] = []
        var first = 0.0
        let place = bench.workplace.appending(path: "again")
        for round in 0...max(5, bench.option("rounds")) {
            try await BenchmarkServer.with(bench, site: BootSite.yaml(hosts: 100), place: place) { server in
                // The very first makes keys, folders and the catalog.
                guard round > 0 else {
                    first = server.firstAnswer * 1000
                    return
                }
                times.append(server.firstAnswer * 1000)
                try await Task.sleep(for: .seconds(2))
                idle.append(ProcessTree(root: server.program.processID).residentMiB)
            }
            bench.say("round \(round): first answer after \(Results.text(times.last ?? first, "ms"))")
        }
        results.add("start to the first answer over HTTP", Results.text(Results.median(times), "ms"), asked: "50 ms")
        results.add("the same, the very first time", Results.text(first, "ms"), asked: "")
        results.add("memory, idle", Results.text(Results.median(idle), "MiB", digits: 0), asked: "45 MB")
        try await crowd(&results)
    }

    private func crowd(_ results: inout Results) async throws {
        let file = bench.workplace.appending(path: "file").path
        try await CommandRunner.local.run(["bash", "-c", "head -c 64M /dev/urandom >\(file)"])
        defer { try? FileManager.default.removeItem(atPath: file) }
        var limit = rlimit(rlim_cur: 16384, rlim_max: 16384)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        try await BenchmarkServer.with(bench, site: BootSite.yaml(hosts: 100)) { server in
            try await CommandRunner.local.run(server.command("push", "bench:1", file))
            let (http, tftp) = (server.http, server.tftp)
            let tree = ProcessTree(root: server.program.processID)
            let content = [UInt8](try Data(contentsOf: URL(filePath: file)))
            let load = TFTPLoad(
                server: tftp, name: "bench:1/file", content: content, clients: 1000, blockSize: 1468, windowSize: 4)
            let (memory, transfers) = try await onThread {
                var open: [Int32] = []
                defer { for descriptor in open { close(descriptor) } }
                let request = Array("GET \(BootSite.scriptPath(3)) HTTP/1.1\r\nHost: bench\r\n\r\n".utf8)
                var buffer = [UInt8](repeating: 0, count: 4096)
                for number in 0..<5000 {
                    let descriptor = try LoopbackSocket.connect(
                        to: http, from: LoopbackSocket.client(number), blocking: true)
                    open.append(descriptor)
                    send(descriptor, request, request.count, Int32(MSG_NOSIGNAL))
                    guard recv(descriptor, &buffer, buffer.count, 0) > 0 else {
                        throw BenchmarkFailure("connection \(number) got no answer")
                    }
                }
                let peak = Peak()
                let stop = Flag()
                let watch = Thread {
                    while !stop.isSet {
                        peak.see(tree.residentMiB)
                        usleep(50_000)
                    }
                }
                watch.start()
                let outcome = try load.run(seconds: 4)
                stop.set()
                guard outcome.failures == 0 else {
                    throw BenchmarkFailure("\(outcome.failures) of the transfers failed")
                }
                return (peak.value, outcome.bytes)
            }
            bench.say(
                "5,000 connections and 1,000 transfers: \(Results.text(memory, "MiB")), \(Int(transfers / 1e6)) MB over TFTP"
            )
            results.add(
                "memory with 5,000 open connections and 1,000 transfers", Results.text(memory, "MiB", digits: 0),
                asked: "100 MiB")
        }
    }
}

/// The largest of what was seen.
private final class Peak: @unchecked Sendable {
    // @unchecked: the lock guards the value.
    private let lock = NSLock()
    private var largest = 0.0

    var value: Double { lock.withLock { largest } }
    func see(_ value: Double) { lock.withLock { largest = max(largest, value) } }
}
