import Foundation
import TestSupport

/// The same image pushed and pulled by the same client, skopeo, against Debian's docker-registry.
struct RegistryFigures {
    let bench: Benchmark

    func pushAndPull(_ results: inout Results) async throws {
        let image = bench.workplace.appending(path: "image").path
        bench.say("an image of \(bench.option("layers")) layers of 256 MiB, pushed and pulled with skopeo")
        try await CommandRunner.local.run(
            ["python3", "-c", Self.makeImage, image, String(bench.option("layers"))], timeLimit: .seconds(600))
        defer { try? FileManager.default.removeItem(atPath: image) }
        var push: (ours: [Double], peer: [Double]) = ([], [])
        var pull: (ours: [Double], peer: [Double]) = ([], [])
        var memory: (ours: Double, peer: Double) = (0, 0)
        for round in 1...bench.option("rounds") {
            try await BenchmarkServer.with(bench) { server in
                push.ours.append(try await copy("oci:\(image):1", "docker://127.0.0.1:5055/image:1"))
                pull.ours.append(try await pullOnce("docker://127.0.0.1:5055/image:1"))
                memory.ours = max(memory.ours, server.peakMemory)
            }
            let process = try await withPeer { registry in
                push.peer.append(try await copy("oci:\(image):1", "docker://127.0.0.1:5059/image:1"))
                pull.peer.append(try await pullOnce("docker://127.0.0.1:5059/image:1"))
                return BenchmarkServer.peakMemory(registry.processID)
            }
            memory.peer = max(memory.peer, process)
            bench.say(
                "round \(round): push \(Results.text(push.ours[round - 1], "s")), docker-registry \(Results.text(push.peer[round - 1], "s"))"
            )
        }
        for (name, times) in [("push", push), ("pull", pull)] {
            results.add(
                "skopeo \(name) of an image, docker-registry", Results.text(Results.median(times.ours), "s"),
                Results.text(Results.median(times.peer), "s"),
                Results.text(Results.median(zip(times.peer, times.ours).map { $0 / $1 })), asked: "")
        }
        results.add(
            "memory of the server", Results.text(memory.ours, "MiB", digits: 0),
            Results.text(memory.peer, "MiB", digits: 0), asked: "under 200 MiB")
    }

    private func copy(_ source: String, _ target: String) async throws -> Double {
        try await bench.seconds([
            "skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", source, target,
        ])
    }

    private func pullOnce(_ source: String) async throws -> Double {
        let target = bench.workplace.appending(path: "pulled").path
        defer { try? FileManager.default.removeItem(atPath: target) }
        return try await copy(source, "oci:\(target):1")
    }

    private func withPeer<Value>(_ body: (RunningProgram) async throws -> Value) async throws -> Value {
        let place = bench.workplace.appending(path: "peer")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        let configuration = place.appending(path: "config.yml")
        let text = """
            version: 0.1
            log: {level: error}
            storage: {filesystem: {rootdirectory: \(place.path)/data}}
            http: {addr: "127.0.0.1:5059"}
            """
        try Data(text.utf8).write(to: configuration)
        let program = try await RunningProgram.start(
            ["docker-registry", "serve", configuration.path], log: place.appending(path: "log"))
        do {
            try await CommandRunner.local.run([
                "bash", "-c",
                "for i in {1..100}; do curl -fsS http://127.0.0.1:5059/v2/ && exit; sleep 0.1; done; exit 1",
            ])
            let value = try await body(program)
            await program.stop()
            return value
        } catch {
            await program.stop()
            throw error
        }
    }

    /// An OCI layout with layers that do not compress.
    private static let makeImage = """
        import gzip, hashlib, io, json, os, sys, tarfile
        root = sys.argv[1]
        os.makedirs(f"{root}/blobs/sha256")
        def blob(data):
            digest = hashlib.sha256(data).hexdigest()
            with open(f"{root}/blobs/sha256/{digest}", "wb") as f: f.write(data)
            return {"digest": f"sha256:{digest}", "size": len(data)}
        layers, ids = [], []
        for number in range(int(sys.argv[2])):
            tar = io.BytesIO()
            with tarfile.open(fileobj=tar, mode="w") as archive:
                entry = tarfile.TarInfo(f"file{number}")
                entry.size = 256 << 20
                archive.addfile(entry, io.BytesIO(os.urandom(entry.size)))
            ids.append("sha256:" + hashlib.sha256(tar.getvalue()).hexdigest())
            kind = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip"}
            layers.append(kind | blob(gzip.compress(tar.getvalue(), 1)))
        config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": ids}}
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json"} | blob(json.dumps(config).encode()),
            "layers": layers}
        entry = {"mediaType": manifest["mediaType"]} | blob(json.dumps(manifest).encode())
        entry["annotations"] = {"org.opencontainers.image.ref.name": "1"}
        with open(f"{root}/index.json", "w") as f: json.dump({"schemaVersion": 2, "manifests": [entry]}, f)
        with open(f"{root}/oci-layout", "w") as f: json.dump({"imageLayoutVersion": "1.0.0"}, f)
        """
}
