import Foundation
import Glibc
import TestSupport

/// A server of somebody else, as its documents say it serves files fast, with its folder and its port.
struct Peer {
    let name: String
    let program: RunningProgram
    let address: String
    let port: Int

    var endpoint: sockaddr_in { LoopbackSocket.endpoint(address, port) }
    var tree: ProcessTree { ProcessTree(root: program.processID) }

    /// Servers of HTTP, for the files in `root`.
    enum HTTP: String, CaseIterable {
        case nginx, lighttpd, caddy
    }

    /// Servers of TFTP, for the files in `root`.
    enum TFTP: String, CaseIterable {
        case tftpdHPA = "tftpd-hpa"
        case atftpd, dnsmasq
    }

    /// Starts one, gives it to `body`, and ends it.
    static func with<Value>(
        _ peer: HTTP, root: URL, in bench: Benchmark, _ body: (Peer) async throws -> Value
    ) async throws -> Value {
        let place = bench.workplace.appending(path: "peer-\(peer.rawValue)")
        let configuration = place.appending(path: "configuration").path
        let (text, command): (String, [String]) =
            switch peer {
            case .nginx:
                (
                    """
                    user root; worker_processes auto; daemon off; pid \(place.path)/pid; error_log stderr;
                    events { worker_connections 8192; }
                    http { sendfile on; tcp_nopush on; tcp_nodelay on; access_log off; keepalive_requests 1000000000;
                    open_file_cache max=1000; default_type application/octet-stream;
                    server { listen 127.0.0.1:5061 backlog=4096; root \(root.path); } }
                    """, ["nginx", "-c", configuration]
                )
            case .lighttpd:
                (
                    """
                    server.document-root = "\(root.path)"
                    server.bind = "127.0.0.1"
                    server.port = 5062
                    server.max-worker = 2
                    server.max-keep-alive-requests = 1000000000
                    server.max-fds = 16384
                    """, ["lighttpd", "-D", "-f", configuration]
                )
            case .caddy:
                (
                    """
                    {
                    admin off
                    auto_https off
                    log {
                    output discard
                    }
                    }
                    http://:5063 {
                    bind 127.0.0.1
                    root * \(root.path)
                    file_server
                    }
                    """, ["caddy", "run", "--adapter", "caddyfile", "--config", configuration]
                )
            }
        let port = [HTTP.nginx: 5061, .lighttpd: 5062, .caddy: 5063][peer] ?? 0
        return try await with(peer.rawValue, text, command, "127.0.0.1", port, place, connects: true, body)
    }

    static func with<Value>(
        _ peer: TFTP, root: URL, in bench: Benchmark, _ body: (Peer) async throws -> Value
    ) async throws -> Value {
        let place = bench.workplace.appending(path: "peer-\(peer.rawValue)")
        // dnsmasq always has port 69; the others are unpacked only, for the two packages exclude each other.
        let unpacked = bench.peers.path
        let (command, address, port): ([String], String, Int) =
            switch peer {
            case .tftpdHPA:
                (
                    [
                        "\(unpacked)/tftpd-hpa/usr/sbin/in.tftpd", "-L", "--address", "127.0.0.1:5071", "--user",
                        "root", "--secure", root.path,
                    ], "127.0.0.1", 5071
                )
            case .atftpd:
                (
                    [
                        "\(unpacked)/atftpd/usr/sbin/atftpd", "--daemon", "--no-fork", "--user", "root", "--group",
                        "root",
                        "--logfile", "/dev/null", "--verbose=0", "--maxthread", "2000", "--no-multicast",
                        "--bind-address", "127.0.0.1", "--port", "5072", root.path,
                    ], "127.0.0.1", 5072
                )
            case .dnsmasq:
                (
                    [
                        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=root",
                        "--listen-address=127.0.0.69", "--bind-interfaces", "--enable-tftp", "--tftp-root=\(root.path)",
                        "--tftp-max=2000", "--pid-file=", "--quiet-tftp", "--log-facility=/dev/null",
                    ], "127.0.0.69", 69
                )
            }
        return try await with(peer.rawValue, "", command, address, port, place, connects: false, body)
    }

    /// A Go program that makes the script of a machine from a template; its source is beside this file.
    static func withScriptServer<Value>(
        template: String, hosts: Int, in bench: Benchmark, _ body: (Peer) async throws -> Value
    ) async throws -> Value {
        let place = bench.workplace.appending(path: "peer-go")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let source = place.appending(path: "server.go").path
        try Data(PackageResources.script_server_go).write(to: URL(filePath: source))
        try Data(template.utf8).write(to: place.appending(path: "template"))
        try await CommandRunner.local.run(
            [
                "env", "GOCACHE=\(place.path)/cache", "GO111MODULE=off", "go", "build", "-o", "\(place.path)/server",
                source,
            ],
            timeLimit: .seconds(600))
        return try await with(
            "Go", "", ["\(place.path)/server", "127.0.0.1:5064", "\(place.path)/template", String(hosts)], "127.0.0.1",
            5064, place, connects: true, body)
    }

    private static func with<Value>(
        _ name: String, _ configuration: String, _ command: [String], _ address: String, _ port: Int, _ place: URL,
        connects: Bool, _ body: (Peer) async throws -> Value
    ) async throws -> Value {
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        try Data((configuration + "\n").utf8).write(to: place.appending(path: "configuration"))
        let program = try await RunningProgram.start(command, log: place.appending(path: "log"))
        do {
            let peer = Peer(name: name, program: program, address: address, port: port)
            if connects { try await peer.accepts() } else { try await Task.sleep(for: .milliseconds(300)) }
            guard program.isRunning else {
                let log = (try? String(contentsOf: place.appending(path: "log"), encoding: .utf8)) ?? ""
                throw BenchmarkFailure("\(name) does not run: \(log)")
            }
            let value = try await body(peer)
            await program.stop()
            return value
        } catch {
            await program.stop()
            throw error
        }
    }

    private func accepts() async throws {
        for _ in 0..<200 {
            if let descriptor = try? LoopbackSocket.connect(
                to: endpoint, from: LoopbackSocket.client(0), blocking: true)
            {
                close(descriptor)
                return
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw BenchmarkFailure("\(name) takes no connections")
    }
}
