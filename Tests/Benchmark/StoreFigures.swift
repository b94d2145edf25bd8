import Foundation
import TestSupport

/// Pushes of one large file, of a folder, and of many small artifacts.
struct StoreFigures {
    let bench: Benchmark

    /// Against `dd conv=fsync` of the same file on the same disk. What both have written stays until all rounds are over: a
    /// virtual disk takes blocks that were used before twice as fast, and neither shall have only those.
    func largeFile(_ results: inout Results) async throws {
        let gib = bench.option("gib")
        let file = bench.workplace.appending(path: "large").path
        let copy = bench.workplace.appending(path: "copy").path
        bench.say("a file of \(gib) GiB")
        try await CommandRunner.local.run(
            ["bash", "-c", "head -c \(gib << 30) /dev/urandom >\(file) && sync"], timeLimit: .seconds(1800))
        defer {
            // The servers' data and the copies; the folder itself is the bench's own.
            for name in (try? FileManager.default.contentsOfDirectory(atPath: bench.workplace.path)) ?? [] {
                try? FileManager.default.removeItem(at: bench.workplace.appending(path: name))
            }
        }
        var ours: [Double] = []
        var peer: [Double] = []
        var again: [Double] = []
        var hash: [Double] = []
        var memory = 0.0
        for round in 1...bench.option("rounds") {
            peer.append(
                try await bench.seconds([
                    "dd", "if=\(file)", "of=\(copy)-\(round)", "bs=1M", "conv=fsync", "status=none",
                ]))
            try await BenchmarkServer.with(bench, keepsData: true) { server in
                ours.append(try await bench.seconds(server.command("push", "large:1", file)))
                again.append(try await bench.seconds(server.command("push", "large:2", file)))
                memory = max(memory, server.peakMemory)
            }
            hash.append(try await bench.seconds(["openssl", "dgst", "-sha256", file]))
            bench.say(
                "round \(round): push \(Results.text(ours[round - 1], "s")), dd \(Results.text(peer[round - 1], "s"))")
        }
        let ratio = Results.median(zip(peer, ours).map { $0 / $1 })
        results.add(
            "push of one \(gib) GiB file, dd conv=fsync", Results.text(Results.median(ours), "s"),
            Results.text(Results.median(peer), "s"), Results.text(ratio), asked: "0.9 of dd's rate")
        let beyond = Results.median(zip(zip(again, hash), ours).map { max(0, $0.0 - $0.1) / $1 })
        results.add(
            "second push of it, openssl dgst -sha256", Results.text(Results.median(again), "s"),
            Results.text(Results.median(hash), "s"), "\(Results.text(100 * beyond)) % of the first beyond the hash",
            asked: "under 1 %")
        results.add("memory of the server", Results.text(memory, "MiB", digits: 0), asked: "under 200 MiB")
    }

    func tree(_ results: inout Results) async throws {
        let count = bench.option("files")
        let folder = bench.workplace.appending(path: "tree").path
        bench.say("a folder of \(count) files of 4 KiB")
        try await CommandRunner.local.run(
            ["python3", "-c", Self.makeTree, folder, String(count)], timeLimit: .seconds(600))
        var rates: [Double] = []
        var changed: [Double] = []
        var memory = 0.0
        for round in 1...bench.option("rounds") {
            try await BenchmarkServer.with(bench, keepsData: true) { server in
                let first = try await bench.seconds(server.command("push", "tree:1", folder))
                rates.append(Double(count) / first)
                try Data("changed in round \(round)".utf8).write(to: URL(filePath: "\(folder)/0/0"))
                changed.append(try await bench.seconds(server.command("push", "tree:2", folder)) / first)
                memory = max(memory, server.peakMemory)
            }
            bench.say("round \(round): \(Results.text(rates[round - 1], "files/s", digits: 0))")
        }
        results.add(
            "push of a folder of \(count) files of 4 KiB", Results.text(Results.median(rates), "files/s", digits: 0),
            asked: "4,000 files/s")
        results.add(
            "the same with one file changed", "\(Results.text(100 * Results.median(changed), digits: 0)) % of the time",
            asked: "")
        results.add("memory of the server", Results.text(memory, "MiB", digits: 0), asked: "under 200 MiB")
    }

    private static let makeTree = """
        import os, sys
        for i in range(int(sys.argv[2])):
            d = f"{sys.argv[1]}/{i // 64}"
            if i % 64 == 0: os.makedirs(d, exist_ok=True)
            with open(f"{d}/{i}", "wb") as f: f.write(((b"%d " % i) * 2048)[:4096])
        """

    func manyArtifacts(_ results: inout Results) async throws {
        let count = bench.option("artifacts")
        let folder = bench.workplace.appending(path: "many").path
        bench.say("\(count) artifacts of one small file each")
        try await CommandRunner.local.run(
            ["python3", "-c", Self.makeMany, folder, String(count)], timeLimit: .seconds(600))
        try await BenchmarkServer.with(bench, keepsData: true) { server in
            let seconds = try await bench.seconds(server.command("push-many", "\(folder)/list"))
            results.add(
                "\(count) small artifacts with push-many",
                Results.text(Double(count) / seconds, "artifacts/s", digits: 0), asked: "1,000 artifacts/s")
            let before = server.peakMemory
            results.add("memory of the server", Results.text(before, "MiB", digits: 0), asked: "under 200 MiB")
            let list = try await bench.seconds(
                ["bash", "-c", Self.listAll, "list", "http://127.0.0.1:5055/v2/many/tags/list?n=1000", String(count)])
            let client = try await CommandRunner.local.run(
                ["bash", "-c", "/usr/bin/time -f %M \"$@\" 2>&1 >/dev/null | tail -1", "time"]
                    + server.command("ls", "many"), timeLimit: .seconds(600))
            results.add(
                "listing their tags page by page, growth of the server's memory", Results.text(list, "s"),
                Results.text(server.peakMemory - before, "MiB", digits: 1), asked: "constant")
            results.add(
                "artifactctl ls of them, memory of artifactctl",
                Results.text((Double(client.output) ?? .nan) / 1024, "MiB", digits: 0), asked: "constant")
        }
    }

    private static let makeMany = """
        import json, os, sys
        os.makedirs(sys.argv[1])
        with open(f"{sys.argv[1]}/list", "w") as list:
            for i in range(int(sys.argv[2])):
                d = f"{sys.argv[1]}/{i // 1000}"
                if i % 1000 == 0: os.makedirs(d)
                with open(f"{d}/{i}", "w") as f: f.write(f"answer {i}")
                list.write(json.dumps({"reference": f"many:{i}", "files": {"answer": f"{d}/{i}"}}) + "\\n")
        """

    /// Follows the pages, and fails unless there were as many tags as there should be.
    private static let listAll = """
        set -euo pipefail
        url=$1 count=0
        while [[ $url ]]; do
            answer=$(curl -sS -D /dev/stderr "$url" 2>"/tmp/bench-headers.$$")
            tags=${answer//[^,]/}
            [[ $answer == *'[]'* ]] || count=$((count + ${#tags}))
            url=$(sed -n 's/^[Ll]ink: <\\(.*\\)>.*/http:\\/\\/127.0.0.1:5055\\1/p' "/tmp/bench-headers.$$" | tr -d '\\r')
        done
        rm "/tmp/bench-headers.$$"
        # One comma less than tags in each page, and one more before them: as many as tags.
        ((count == $2)) || { echo "$count tags were listed" >&2; exit 1; }
        """
}
