import Dispatch
import Foundation
import Synchronization
import Testing

@testable import TFTP

extension ServerTests {
    /// Files that are not in memory, on a disk that answers when the test says so.
    @Suite struct ColdFiles {
        private static let bytes: [UInt8] = {
            var generator = SeededGenerator(seed: 31)
            return generator.bytes(2_500_000)
        }()

        /// Nothing of the one file is in memory until it was read, and it is read when the gate is opened.
        private final class SlowDisk: Sendable {
            let file: OpenFile
            let gate = DispatchSemaphore(value: 0)
            let regions = Mutex<[Range<Int64>]>([])

            init(_ file: OpenFile) { self.file = file }

            var disk: ColdReads.Disk {
                ColdReads.Disk(
                    isCached: { [self] file, _, _ in file !== self.file },
                    warm: { [self] file, offset, count in
                        gate.wait()
                        regions.withLock { $0.append(offset..<offset + count) }
                    })
            }

            func open() { for _ in 0..<100 { gate.signal() } }
        }

        private static func withFiles(
            _ body: (_ slow: SlowDisk, _ service: FileTable, _ path: String) async throws -> Void
        ) async throws {
            let path = NSTemporaryDirectory() + "tftp-cold-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: path) }
            try Data([1, 2, 3] + bytes).write(to: URL(filePath: path))
            let cold = SlowDisk(try #require(OpenFile(path: path)))
            let warm = try #require(OpenFile(path: path))
            let size = Int64(bytes.count)
            let service = FileTable([
                "/cold": .file(cold.file, offset: 3, size: size), "/warm": .file(warm, offset: 3, size: size),
            ])
            try await body(cold, service, path)
        }

        /// On a thread of its own: it waits.
        private static func fetch(
            _ path: String, _ options: [(name: String, value: String)], _ port: UInt16
        ) async throws -> ReferenceClient? {
            try await withCheckedThrowingContinuation { continuation in
                DispatchQueue(label: path).async {
                    continuation.resume(with: Result { try SocketTransfers.fetch(path, options, port: port) })
                }
            }
        }

        @Test(arguments: [
            [("blksize", "1468")], [("blksize", "1468"), ("windowsize", "16")], [("blksize", "65464")],
        ])
        func holdUpNobodyElse(_ options: [(name: String, value: String)]) async throws {
            try await Self.withFiles { slow, service, _ in
                try await RunningServer.with(service, disk: slow.disk) { port in
                    async let cold = Self.fetch("cold", options, port)
                    for _ in 0..<3 {
                        let client = try #require(try await Self.fetch("warm", options, port))
                        #expect(client.delivered(Self.bytes))
                    }
                    #expect(slow.regions.withLock { $0.isEmpty }, "the disk has not answered yet")
                    slow.open()
                    #expect(try #require(try await cold).delivered(Self.bytes))
                    let regions = slow.regions.withLock { $0 }
                    #expect(regions.first?.lowerBound == 3 && regions.last?.upperBound == Int64(Self.bytes.count) + 3)
                    for (one, next) in zip(regions, regions.dropFirst()) {
                        #expect(one.lowerBound < next.lowerBound && next.lowerBound <= one.upperBound)
                    }
                    #expect(regions.count <= 4, "a region at a time, not a block")
                }
            }
        }

        @Test func becomeShorterWhileTheyAreRead() async throws {
            try await Self.withFiles { slow, service, path in
                try await RunningServer.with(service, disk: slow.disk) { port in
                    async let cold = Self.fetch("cold", [("blksize", "1468")], port)
                    #expect(try #require(try await Self.fetch("warm", [], port)).delivered(Self.bytes))
                    #expect(truncate(path, 100) == 0)
                    slow.open()
                    let client = try #require(try await cold)
                    #expect(client.state == .failed("error 0: the file cannot be read"))
                }
            }
        }

        /// What was read for somebody who has gone is nobody's.
        @Test func areReadForAClientThatHasGone() async throws {
            try await Self.withFiles { slow, service, _ in
                try await RunningServer.with(service, disk: slow.disk) { port in
                    for _ in 0..<4 {
                        let gone = try ClientSocket()
                        try gone.send(ReferenceClient(path: "cold").start().bytes, port: port)
                    }
                    #expect(try #require(try await Self.fetch("warm", [], port)).delivered(Self.bytes))
                    slow.open()
                    for _ in 0..<3 {
                        #expect(try #require(try await Self.fetch("warm", [], port)).delivered(Self.bytes))
                    }
                }
            }
        }
    }
}
