import Foundation
import Glibc
import TestSupport

/// A server under measurement, in a data directory of its own.
struct BenchmarkServer {
    let program: RunningProgram
    let socket: String
    let state: String
    let artifactctl: String

    /// Starts one, gives it to `body`, and ends it. Its data go with it, unless they are kept to the end of all: inodes that
    /// were freed in the last minutes slow ext4 down.
    static func with<Value>(
        _ bench: Benchmark, keepsData: Bool = false, _ body: (BenchmarkServer) async throws -> Value
    ) async throws -> Value {
        let place = bench.workplace.appending(path: "server-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { if !keepsData { try? FileManager.default.removeItem(at: place) } }
        // The kernel takes 107 bytes.
        let socket = "/tmp/provisioner-bench-\(getpid()).sock"
        let site = place.appending(path: "site.yaml")
        try Data(SiteFixture(machines: [], profiles: []).yaml.utf8).write(to: site)
        let program = try await RunningProgram.start(
            [
                bench.programs.appending(path: "provisioner").path, "serve", "--site", site.path, "--data",
                place.appending(path: "data").path, "--control-socket", socket, "--control", "127.0.0.1:5055",
                "--boot-http", "127.0.0.1:5056", "--tftp", "127.0.0.1:5057", "--syslog", "127.0.0.1:5058",
                "--authority",
                "dvntm=off",
            ], log: place.appending(path: "log"), grace: .seconds(20))
        do {
            try await program.waitForLine(containing: "ready:", timeout: .seconds(60))
            let server = BenchmarkServer(
                program: program, socket: socket, state: place.appending(path: "state").path,
                artifactctl: bench.programs.appending(path: "artifactctl").path)
            let value = try await body(server)
            await program.stop()
            return value
        } catch {
            await program.stop()
            throw error
        }
    }

    func command(_ arguments: String...) -> [String] {
        ["env", "PROVISIONER_SOCKET=\(socket)", "XDG_STATE_HOME=\(state)", artifactctl] + arguments
    }

    /// The most memory that it has had, in MiB.
    var peakMemory: Double { Self.peakMemory(program.processID) }

    static func peakMemory(_ process: Int32) -> Double {
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line.flatMap { Double($0.filter(\.isNumber)) } ?? .nan) / 1024
    }
}
