import Foundation
import Glibc
import TestSupport

/// A server under measurement, in a data directory of its own.
struct BenchmarkServer {
    let program: RunningProgram
    let socket: String
    let state: String
    let artifactctl: String
    /// Seconds from its start to the first answer over HTTP.
    let firstAnswer: Double

    static let httpPort = 5056
    private static let tftpPort = 5057
    var http: sockaddr_in { LoopbackSocket.endpoint("127.0.0.1", Self.httpPort) }
    var tftp: sockaddr_in { LoopbackSocket.endpoint("127.0.0.1", Self.tftpPort) }

    /// Starts one, gives it to `body`, and ends it. Its data go with it, unless they are kept to the end of all: inodes that
    /// were freed in the last minutes slow ext4 down. With a `place` it goes on with what is there, and leaves it.
    static func with<Value>(
        _ bench: Benchmark, keepsData: Bool = false, site: String = SiteFixture(machines: [], profiles: []).yaml,
        loaders: String = "/usr/lib/ipxe", place: URL? = nil, _ body: (BenchmarkServer) async throws -> Value
    ) async throws -> Value {
        let isGiven = place != nil
        let place = place ?? bench.workplace.appending(path: "server-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { if !keepsData, !isGiven { try? FileManager.default.removeItem(at: place) } }
        // The kernel takes 107 bytes.
        let socket = "/tmp/provisioner-bench-\(getpid()).sock"
        let file = place.appending(path: "site.yaml")
        try Data(site.utf8).write(to: file)
        let begin = LoopbackSocket.now()
        let program = try await RunningProgram.start(
            [
                bench.programs.appending(path: "provisioner").path, "serve", "--site", file.path, "--data",
                place.appending(path: "data").path, "--control-socket", socket, "--control", "127.0.0.1:5055",
                "--boot-http", "127.0.0.1:\(httpPort)", "--tftp", "127.0.0.1:\(tftpPort)", "--syslog", "127.0.0.1:5058",
                "--loaders", loaders, "--authority", "dvntm=off",
            ], log: place.appending(path: "log"), grace: .seconds(20))
        do {
            let answered = try await onThread { try firstAnswer() }
            try await program.waitForLine(containing: "ready:", timeout: .seconds(60))
            let server = BenchmarkServer(
                program: program, socket: socket, state: place.appending(path: "state").path,
                artifactctl: bench.programs.appending(path: "artifactctl").path, firstAnswer: answered - begin)
            let value = try await body(server)
            await program.stop()
            return value
        } catch {
            await program.stop()
            throw error
        }
    }

    /// Asks until there is an answer, and tells when that was.
    private static func firstAnswer() throws -> Double {
        let server = LoopbackSocket.endpoint("127.0.0.1", httpPort)
        let request = Array("GET /boot.ipxe HTTP/1.1\r\nHost: bench\r\n\r\n".utf8)
        var buffer = [UInt8](repeating: 0, count: 4096)
        let end = LoopbackSocket.now() + 60
        while LoopbackSocket.now() < end {
            if let descriptor = try? LoopbackSocket.connect(
                to: server, from: LoopbackSocket.client(0), blocking: true)
            {
                defer { close(descriptor) }
                send(descriptor, request, request.count, Int32(MSG_NOSIGNAL))
                if recv(descriptor, &buffer, buffer.count, 0) > 0 { return LoopbackSocket.now() }
            }
            usleep(500)
        }
        throw BenchmarkFailure("the server does not answer")
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
