import CLinux
import Foundation
import Glibc
import TestSupport

/// 200 machines that are switched on together: each loads its loader over TFTP, asks for its script, and loads a kernel of 8 MB
/// and an initrd of 60 MB. Against dnsmasq for the loader and nginx for the rest.
struct StormFigures {
    let bench: Benchmark
    private static let machines = 200

    func measure(_ results: inout Results) async throws {
        let root = bench.workplace.appending(path: "root")
        let loaders = bench.workplace.appending(path: "loaders")
        for folder in [root, loaders] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        defer { for folder in [root, loaders] { try? FileManager.default.removeItem(at: folder) } }
        try await CommandRunner.local.run([
            "bash", "-c",
            """
            head -c 8M /dev/urandom >\(root.path)/linux; head -c 60M /dev/urandom >\(root.path)/initrd
            head -c 300K /dev/urandom >\(root.path)/snponly.efi; cp \(root.path)/snponly.efi \(loaders.path)/
            head -c 900 /dev/urandom >\(root.path)/small
            """,
        ])
        var series = Series()
        for round in 1...bench.option("rounds") {
            try await BenchmarkServer.with(
                bench, site: BootSite.yaml(hosts: Self.machines, budget: Self.machines), loaders: loaders.path
            ) { server in
                try await CommandRunner.local.run(
                    server.command("push", "bench:1", "\(root.path)/linux", "\(root.path)/initrd"))
                let storm = Storm(
                    tftp: server.tftp, http: server.http, loader: "loaders/snponly.efi", script: BootSite.scriptPath,
                    files: ["/bench:1/linux", "/bench:1/initrd"])
                try await run(
                    storm, "provisioner", { ProcessTree(root: server.program.processID).processorSeconds }, &series)
            }
            try await Peer.with(.dnsmasq, root: root, in: bench) { dnsmasq in
                try await Peer.with(.nginx, root: root, in: bench) { nginx in
                    let storm = Storm(
                        tftp: dnsmasq.endpoint, http: nginx.endpoint, loader: "snponly.efi",
                        script: { _ in "/small" }, files: ["/linux", "/initrd"])
                    try await run(
                        storm, "nginx", { dnsmasq.tree.processorSeconds + nginx.tree.processorSeconds }, &series)
                }
            }
            bench.say("storm of \(Self.machines), round \(round): \(series.last("total")) s")
        }
        let work = "boot storm of \(Self.machines) machines"
        for (quantity, unit, asked) in [
            ("total", "s", "at most 0.9"), ("script", "ms", "20 ms"), ("cpu", "s", ""),
        ] {
            let text =
                ["total": "until the last has all", "script": "p99 of a script", "cpu": "processor time"][quantity]
                ?? ""
            results.add(
                "\(work), \(text); nginx with dnsmasq", Results.text(series.median("provisioner", quantity), unit),
                Results.text(series.median("nginx", quantity), unit), Results.text(series.ratio("nginx", quantity)),
                asked: asked)
        }
    }

    private func run(
        _ storm: Storm, _ name: String, _ processorSeconds: () -> Double, _ series: inout Series
    ) async throws {
        let before = processorSeconds()
        let begin = LoopbackSocket.now()
        let scripts = try await withThrowingTaskGroup(of: Double.self) { group in
            for number in 0..<Self.machines { group.addTask { try await onThread { try storm.boot(number) } } }
            return try await group.reduce(into: []) { $0.append($1) }.sorted()
        }
        series.add(name, "total", LoopbackSocket.now() - begin)
        series.add(name, "script", scripts.percentile(99) * 1000)
        series.add(name, "cpu", processorSeconds() - before)
    }
}

/// What each machine of the storm does.
private struct Storm: Sendable {
    let tftp: sockaddr_in
    let http: sockaddr_in
    let loader: String
    let script: @Sendable (Int) -> String
    let files: [String]

    /// Seconds that the script took, from the connection to its last byte.
    func boot(_ number: Int) throws -> Double {
        let address = LoopbackSocket.client(number)
        try fetchLoader(from: address)
        let begin = LoopbackSocket.now()
        let descriptor = try LoopbackSocket.connect(to: http, from: address, blocking: true)
        defer { close(descriptor) }
        try fetch(script(number), descriptor)
        let time = LoopbackSocket.now() - begin
        for file in files { try fetch(file, descriptor) }
        return time
    }

    private func fetch(_ path: String, _ descriptor: Int32) throws {
        let request = Array("GET \(path) HTTP/1.1\r\nHost: bench\r\n\r\n".utf8)
        send(descriptor, request, request.count, Int32(MSG_NOSIGNAL))
        var head: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { throw LoopbackSocket.Failure("no answer for \(path)") }
            head += buffer[..<count]
            guard let answer = try AnswerHead(head) else { continue }
            var left = answer.bodyLength - (head.count - answer.length)
            while left > 0 {
                let dropped = recv(descriptor, nil, min(left, 1 << 20), Int32(MSG_TRUNC))
                guard dropped > 0 else { throw LoopbackSocket.Failure("\(path) ended early") }
                left -= dropped
            }
            return
        }
    }

    /// In lock-step with blocks of 1468, as firmware does; asks again after a second.
    private func fetchLoader(from address: in_addr_t) throws {
        let descriptor = try LoopbackSocket.open(SOCK_DGRAM, from: address, blocking: true)
        defer { close(descriptor) }
        var timeout = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var packet: [UInt8] = [0, 1]
        for word in [loader, "octet", "tsize", "0", "blksize", "1468"] { packet += Array(word.utf8) + [0] }
        var server = tftp
        var buffer = [UInt8](repeating: 0, count: 2048)
        for _ in 0..<10_000 {
            let isRequest = packet[1] == 1
            _ = withUnsafePointer(to: isRequest ? tftp : server) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(descriptor, packet, packet.count, 0, $0, 16)
                }
            }
            var length: socklen_t = 16
            let count = withUnsafeMutablePointer(to: &server) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
                }
            }
            if count < 4 { continue }
            guard buffer[1] == 3 || buffer[1] == 6 else { throw BenchmarkFailure("the loader was refused") }
            packet = buffer[1] == 6 ? [0, 4, 0, 0] : [0, 4, buffer[2], buffer[3]]
            if buffer[1] == 3, count < 1472 {
                _ = withUnsafePointer(to: server) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        sendto(descriptor, packet, packet.count, 0, $0, 16)
                    }
                }
                return
            }
        }
        throw BenchmarkFailure("the loader did not come")
    }
}
