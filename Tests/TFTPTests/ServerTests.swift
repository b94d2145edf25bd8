import Foundation
import TFTP
import Testing

/// The real server on loopback. Serialized, with all suites inside it: they count the process's descriptors.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ServerTests {
    static let image = {
        var generator = SeededGenerator(seed: 10)
        return generator.bytes(100_000)
    }()

    static var service: FileTable {
        FileTable([
            "/image": .bytes(image), "/empty": .bytes([]), "/one": .bytes([42]),
            "/block": .bytes(Array(image.prefix(512))), "/grub/grub.cfg": .bytes(Array("boot\n".utf8)),
        ])
    }

    @Suite struct Transfers {
        @Test func whatIsNotThereYetComesWhenTheClientRepeatsItself() async throws {
            let bytes = Array("made meanwhile".utf8)
            let service = FileTable(["/late": .bytes(bytes)], late: ["/late"])
            try await RunningServer.with(service) { port in
                let client = try #require(try SocketTransfers.fetch("late", port: port))
                #expect(client.delivered(bytes))
                #expect(service.refused.isEmpty)
            }
        }

        @Test(arguments: ["image", "empty", "one", "block", "grub/grub.cfg"])
        func deliversFilesOfEverySize(_ path: String) async throws {
            let service = ServerTests.service
            try await RunningServer.with(service) { port in
                let client = try #require(try SocketTransfers.fetch(path, port: port))
                let content = try #require(service.content(path: "/" + path, client: ""))
                guard case .bytes(let bytes) = content else { return }
                #expect(client.delivered(bytes))
                let report = try #require(await service.next().first)
                #expect(report.outcome == .completed && report.bytes == Int64(bytes.count) && report.path == "/" + path)
                #expect(report.client == "127.0.0.1" && report.blockSize == 512 && report.windowSize == 1)
            }
        }

        @Test(arguments: [
            [("blksize", "1432"), ("tsize", "0")], [("tsize", "0"), ("blksize", "1468"), ("windowsize", "4")],
            [("blksize", "512"), ("windowsize", "4")], [("blksize", "1024"), ("tsize", "0")], [("windowsize", "64")],
            [("blksize", "65464"), ("timeout", "1")],
        ])
        func speaksAsFirmwareAsks(_ options: [(name: String, value: String)]) async throws {
            let service = ServerTests.service
            try await RunningServer.with(service) { port in
                let client = try #require(try SocketTransfers.fetch("/image", options, port: port))
                #expect(client.delivered(ServerTests.image))
                for option in options where option.name == "tsize" { #expect(client.totalSize == 100_000) }
                for option in options where option.name == "blksize" { #expect(client.blockSize == Int(option.value)) }
            }
        }

        @Test func servesAPieceOfAnOpenFile() async throws {
            let path = NSTemporaryDirectory() + "tftp-piece-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: path) }
            try Data(ServerTests.image).write(to: URL(filePath: path))
            let file = try #require(OpenFile(path: path))
            let service = FileTable(["/piece": .file(file, offset: 1000, size: 5000)])
            try await RunningServer.with(service) { port in
                let client = try SocketTransfers.fetch("piece", [("tsize", "0")], port: port)
                #expect(client?.delivered(Array(ServerTests.image[1000..<6000])) == true)
                #expect(client?.totalSize == 5000)
            }
        }

        @Test func aFileThatBecameShorterEndsWithAnErrorAndNotWithWrongBytes() async throws {
            let path = NSTemporaryDirectory() + "tftp-short-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: path) }
            try Data(ServerTests.image).write(to: URL(filePath: path))
            let file = try #require(OpenFile(path: path))
            let handle = try FileHandle(forWritingTo: URL(filePath: path))
            try handle.truncate(atOffset: 700)
            try handle.close()
            let service = FileTable(["/short": .file(file, offset: 0, size: file.size)])
            try await RunningServer.with(service) { port in
                let client = try SocketTransfers.fetch("short", port: port)
                #expect(client?.state == .failed("error 0: the file cannot be read"))
                #expect(await service.next().first?.outcome == .aborted(code: 0, message: "the file cannot be read"))
            }
        }

        @Test func manyTransfersAtOnceAllDeliver() async throws {
            let service = FileTable(
                Dictionary(
                    uniqueKeysWithValues: (0..<100).map { number in
                        var generator = SeededGenerator(seed: UInt64(number))
                        return ("/\(number)", .bytes(generator.bytes(3000 + 77 * number)))
                    }))
            try await RunningServer.with(service) { port in
                // Two rounds: one client may have 128 transfers.
                for _ in 0..<2 {
                    let requests = (0..<100).map { number in
                        ("\(number)", number % 2 == 0 ? [] : [("blksize", "1024"), ("windowsize", "3")])
                    }
                    let clients = try SocketTransfers.run(requests, port: port)
                    for (number, client) in clients.enumerated() {
                        guard case .bytes(let bytes) = service.content(path: "/\(number)", client: "") else { continue }
                        #expect(client.delivered(bytes), "\(number)")
                    }
                    let reports = await service.next(100)
                    #expect(reports.allSatisfy { $0.outcome == .completed })
                }
            }
            #expect(service.refused.isEmpty)
        }

        @Test func twoHundredTransfersOfTwoClientsAtOnce() async throws {
            let service = ServerTests.service
            try await RunningServer.with(service, address: "0.0.0.0") { port in
                let hosts = ["127.0.0.1", "127.0.0.4"]
                let requests = (0..<200).map { number in
                    (path: "image", options: number % 3 == 0 ? [("windowsize", "8")] : [("blksize", "1468")])
                }
                let clients = try SocketTransfers.run(requests, from: hosts, port: port)
                #expect(clients.count { $0.delivered(ServerTests.image) } == 200)
            }
        }
    }
}
