import Foundation
import TFTP
import Testing

extension ServerTests {
    /// Clients that others wrote.
    @Suite struct Tools {
        @Test(.enabled(if: Tool.isThere("curl"), "curl is absent: apt-get install curl"))
        func curlFetchesAFile() async throws {
            try await RunningServer.with(ServerTests.service) { port in
                let result = try #require(
                    try await Tool.run("curl", ["-sS", "-m", "20", "tftp://127.0.0.1:\(port)/image"]))
                #expect(result.status == 0)
                #expect(result.printed(ServerTests.image))
            }
        }

        @Test(.enabled(if: Tool.isThere("curl"), "curl is absent: apt-get install curl"), arguments: [8, 1432, 65464])
        func curlFetchesWithABlockSize(_ size: Int) async throws {
            try await RunningServer.with(ServerTests.service, address: "0.0.0.0") { port in
                let arguments = ["-sS", "-m", "20", "--tftp-blksize", "\(size)", "tftp://127.0.0.2:\(port)//image"]
                let result = try await Tool.run("curl", arguments)
                #expect(result?.printed(ServerTests.image) == true)
            }
        }

        @Test(.enabled(if: Tool.isThere("curl"), "curl is absent: apt-get install curl"))
        func curlIsToldThatAFileIsAbsent() async throws {
            try await RunningServer.with(ServerTests.service) { port in
                let result = try await Tool.run("curl", ["-sS", "-m", "20", "tftp://127.0.0.1:\(port)/absent"])
                #expect(result?.status == 68)  // CURLE_TFTP_NOTFOUND
            }
        }

        @Test(.enabled(if: Tool.isThere("tftp"), "tftp is absent: apt-get install tftp-hpa"))
        func tftpHpaFetchesAFile() async throws {
            let path = NSTemporaryDirectory() + "tftp-hpa-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: path) }
            try await RunningServer.with(ServerTests.service) { port in
                let arguments = ["-4", "-m", "binary", "127.0.0.1", "\(port)", "-c", "get", "/image", path]
                let result = try #require(try await Tool.run("tftp", arguments))
                #expect(result.status == 0)
                let isRight = try Array(Data(contentsOf: URL(filePath: path))) == ServerTests.image
                #expect(isRight)
            }
        }

        @Test(.enabled(if: Tool.isThere("tftp"), "tftp is absent: apt-get install tftp-hpa"))
        func tftpHpaMayNotWrite() async throws {
            try await RunningServer.with(ServerTests.service) { port in
                let arguments = ["-4", "-m", "binary", "127.0.0.1", "\(port)", "-c", "put", "/etc/hostname", "/image"]
                let result = try #require(try await Tool.run("tftp", arguments))
                #expect(String(decoding: result.output, as: UTF8.self).contains("this server is read-only"))
            }
        }
    }
}

/// A program of this machine.
enum Tool {
    struct Result {
        let status: Int32
        /// Standard output and standard error.
        let output: [UInt8]

        func printed(_ bytes: [UInt8]) -> Bool { output == bytes }
    }

    private static func path(_ name: String) -> String? {
        ["/usr/bin/", "/bin/", "/usr/local/bin/"].map { $0 + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    static func isThere(_ name: String) -> Bool { path(name) != nil }

    /// Runs it to its end; nil when it is absent.
    static func run(_ name: String, _ arguments: [String]) async throws -> Result? {
        guard let path = path(name) else { return nil }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try await Task.detached { try pipe.fileHandleForReading.readToEnd() }.value
        process.waitUntilExit()
        return Result(status: process.terminationStatus, output: Array(output ?? Data()))
    }
}
