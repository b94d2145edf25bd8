import Foundation
import Hosts
import Testing

@Suite struct HostLogsTests {
    private static func with(
        file: Int = 1 << 20, total: Int = 256 << 20, waiting: Int = 256 << 10, allWaiting: Int = 8 << 20,
        _ body: (HostLogs, URL) throws -> Void
    ) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "logs-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        var limits = HostLogs.Limits()
        (limits.file, limits.total, limits.waiting, limits.allWaiting) = (file, total, waiting, allWaiting)
        try body(HostLogs(directory: directory.path, limits: limits) { 1_700_000_000_042 }, directory)
    }

    private static func names(_ directory: URL) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []).sorted()
    }

    @Test func eachMachineHasAFileWithTheTimeOfReceipt() throws {
        try Self.with { logs, directory in
            logs.append("info one", to: "hv01")
            logs.append("info two", to: "10.0.0.7")
            #expect(Self.names(directory) == [])
            try logs.flush()
            logs.append("info three", to: "hv01")
            try logs.flush()
            let text = try String(contentsOf: directory.appending(path: "hv01.log"), encoding: .utf8)
            #expect(text == "2023-11-14T22:13:20.042Z info one\n2023-11-14T22:13:20.042Z info three\n")
            #expect(Self.names(directory) == ["10.0.0.7.log", "hv01.log"])
        }
    }

    @Test func aFullFileIsKeptOnceMore() throws {
        try Self.with(file: 1000) { logs, directory in
            for number in 0..<100 {
                logs.append("line \(number) " + String(repeating: "x", count: 80), to: "hv01")
                try logs.flush()
            }
            #expect(Self.names(directory) == ["hv01.log", "hv01.log.1"])
            let sizes = try Self.names(directory).map { try Data(contentsOf: directory.appending(path: $0)).count }
            #expect(sizes.allSatisfy { $0 < 1200 })
            let both = try ["hv01.log.1", "hv01.log"]
                .map { try String(contentsOf: directory.appending(path: $0), encoding: .utf8) }.joined()
            #expect(both.contains("line 99 ") && both.contains("line 90 ") && !both.contains("line 50 "))
        }
    }

    @Test func allFilesTogetherAreBounded() throws {
        try Self.with(total: 20 * 4096) { logs, directory in
            for number in 0..<200 {
                logs.append("line", to: "10.0.0.\(number)")
                try logs.flush()
                #expect(Self.names(directory).count <= 20)
            }
            #expect(Self.names(directory).contains("10.0.0.199.log"))
        }
    }

    @Test func aFloodIsCutAndCounted() throws {
        try Self.with(waiting: 10_000, allWaiting: 15_000) { logs, directory in
            for _ in 0..<1000 { logs.append(String(repeating: "x", count: 70), to: "loud") }
            logs.append("heard", to: "quiet")
            for number in 0..<5000 { logs.append(String(repeating: "x", count: 70), to: "forged\(number)") }
            try logs.flush()
            let loud = try String(contentsOf: directory.appending(path: "loud.log"), encoding: .utf8)
            let kept = loud.split(separator: "\n").count - 1
            #expect(loud.utf8.count < 10_100 && kept > 90)
            #expect(loud.hasSuffix("- \(1000 - kept) lines came too fast and were not kept\n"))
            let quiet = try String(contentsOf: directory.appending(path: "quiet.log"), encoding: .utf8)
            #expect(quiet.contains("heard"))
            #expect(Self.names(directory).count < 1100)
        }
    }

    @Test func forgedAddressesDoNotMakeAFileEach() throws {
        try Self.with { logs, directory in
            for number in 0..<5000 { logs.append("line", to: "forged\(number)") }
            try logs.flush()
            #expect(Self.names(directory).count == HostLogs.Limits().names)
        }
    }

    @Test func aLinkInTheWayIsNotFollowed() throws {
        try Self.with { logs, directory in
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let target = directory.appending(path: "target")
            try Data("mine".utf8).write(to: target)
            try FileManager.default.createSymbolicLink(
                at: directory.appending(path: "hv01.log"), withDestinationURL: target)
            logs.append("text", to: "hv01")
            logs.append("text", to: "hv02")
            #expect(throws: HostsError.self) { try logs.flush() }
            #expect(try String(contentsOf: target, encoding: .utf8) == "mine")
            // The others are written all the same.
            #expect(Self.names(directory).contains("hv02.log"))
        }
    }
}
