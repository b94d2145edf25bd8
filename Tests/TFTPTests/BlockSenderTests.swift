import Foundation
import Glibc
import Testing

@testable import TFTP

/// Blocks on real sockets, by each of the two calls.
@Suite struct BlockSenderTests {
    private static let bytes: [UInt8] = {
        var generator = SeededGenerator(seed: 77)
        return generator.bytes(200_000)
    }()

    /// A connected pair: of UDP on loopback, or of the kind of unix(7), which is full after a few datagrams.
    private static func with(udp: Bool, _ body: (_ sender: Int32, _ receiver: Int32) throws -> Void) throws {
        var pair: [Int32] = [-1, -1]
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue)
        if udp {
            for index in 0..<2 {
                pair[index] = socket(AF_INET, kind, 0)
                var size: Int32 = 4 << 20
                setsockopt(pair[index], SOL_SOCKET, SO_RCVBUF, &size, 4)
                try #require(
                    DatagramEndpoint(host: "127.0.0.1", port: 0)?.withSocketAddress { bind(pair[index], $0, 16) } == 0)
            }
            for (from, to) in [(pair[0], pair[1]), (pair[1], pair[0])] {
                var address = [UInt8](repeating: 0, count: 128)
                var length: UInt32 = 128
                let status = address.withUnsafeMutableBytes { bytes in
                    bytes.withMemoryRebound(to: sockaddr.self) {
                        getsockname(to, $0.baseAddress, &length) + connect(from, $0.baseAddress, length)
                    }
                }
                try #require(status == 0)
            }
        } else {
            try #require(socketpair(AF_UNIX, kind, 0, &pair) == 0)
        }
        defer { for descriptor in pair { close(descriptor) } }
        try body(pair[0], pair[1])
    }

    private static func received(_ descriptor: Int32) -> [[UInt8]] {
        var packets: [[UInt8]] = []
        var buffer = [UInt8](repeating: 0, count: 70_000)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count >= 0 else { return packets }
            packets.append(Array(buffer[..<count]))
        }
    }

    private static func expected(_ blocks: ClosedRange<Int64>, _ size: Int, _ content: ArraySlice<UInt8>) -> [[UInt8]] {
        blocks.map { block in
            let start = content.startIndex + Int(block - 1) * size
            return [0, 3, UInt8(truncatingIfNeeded: block >> 8), UInt8(truncatingIfNeeded: block)]
                + content[start..<min(start + size, content.endIndex)]
        }
    }

    private static func send(
        _ sender: inout BlockSender, _ blocks: ClosedRange<Int64>
    ) -> BlockSender.Progress {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: BlockSender.bufferSize, alignment: 16)
        defer { buffer.deallocate() }
        return sender.send(blocks, buffer: buffer)
    }

    private static func withFile(_ body: (OpenFile, String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "blocks-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(bytes).write(to: URL(filePath: path))
        try body(try #require(OpenFile(path: path)), path)
    }

    @Test(arguments: [512, 1468, 8192, 20_000, 20_001, 65_464, 8], [1000, 0, 1, 4095])
    func everyBlockIsADatagramOfItsOwn(_ size: Int, _ offset: Int) throws {
        try Self.withFile { file, _ in
            let piece = Self.bytes[offset..<offset + 130_000]
            for content in [TFTPContent.bytes(Array(piece)), .file(file, offset: Int64(offset), size: 130_000)] {
                let last = Int64(130_000 / size + 1)
                for usesSegments in [true, false] {
                    for blocks in [1...1, 2...2, 1...min(64, last), max(1, last - 99)...last, last...last] {
                        try Self.with(udp: true) { from, to in
                            var sender = BlockSender(
                                descriptor: from, content: content, blockSize: size, usesSegments: usesSegments)
                            #expect(Self.send(&sender, blocks) == .sent)
                            let packets = Self.received(to)
                            #expect(packets == Self.expected(blocks, size, piece), "\(blocks) of \(size)")
                            #expect(sender.usesSegments == usesSegments, "this kernel has it")
                        }
                    }
                }
            }
        }
    }

    @Test func whatDoesNotArriveIsCopiedFromThenOn() throws {
        try Self.withFile { file, _ in
            try Self.with(udp: true) { from, to in
                var sender = BlockSender(
                    descriptor: from, content: .file(file, offset: 0, size: 200_000), blockSize: 60_000)
                for block in 1...4 as ClosedRange<Int64> {
                    #expect(sender.splices == (block < 3))
                    #expect(Self.send(&sender, block...block) == .sent)
                    #expect(Self.received(to) == Self.expected(block...block, 60_000, Self.bytes[...]))
                    if block == 2 { sender.stopSplicing() }
                }
            }
        }
    }

    /// A file of whole blocks ends with an empty one.
    @Test func theLastBlockMayBeEmpty() throws {
        try Self.with(udp: true) { from, to in
            let content = Self.bytes[..<1024]
            var sender = BlockSender(descriptor: from, content: .bytes(Array(content)), blockSize: 512)
            #expect(Self.send(&sender, 1...3) == .sent)
            #expect(Self.received(to) == Self.expected(1...3, 512, content))
        }
    }

    /// The kernel refuses segments on a socket without checksums, as some cards' drivers do on theirs.
    @Test func whereSegmentsAreRefusedDatagramsAreSent() throws {
        try Self.with(udp: true) { from, to in
            // SO_NO_CHECK, which Glibc's module lacks.
            let noChecksums: Int32 = 11
            var on: Int32 = 1
            try #require(setsockopt(from, SOL_SOCKET, noChecksums, &on, 4) == 0)
            var sender = BlockSender(descriptor: from, content: .bytes(Self.bytes), blockSize: 1000)
            #expect(Self.send(&sender, 1...16) == .sent)
            #expect(!sender.usesSegments)
            #expect(Self.received(to) == Self.expected(1...16, 1000, Self.bytes[...]))
            #expect(Self.send(&sender, 17...150) == .sent)
            #expect(Self.received(to) == Self.expected(17...150, 1000, Self.bytes[...]))
        }
    }

    @Test func aFullSocketTellsWhereToGoOn() throws {
        try Self.with(udp: false) { from, to in
            var sender = BlockSender(
                descriptor: from, content: .bytes(Self.bytes), blockSize: 100, usesSegments: false)
            var packets: [[UInt8]] = []
            var next: Int64 = 1
            var stops = 0
            while next <= 1500 {
                let progress = Self.send(&sender, next...1500)
                packets += Self.received(to)
                guard case .full(let place) = progress else { break }
                #expect(place > next, "some went")
                next = place
                stops += 1
            }
            #expect(packets == Self.expected(1...1500, 100, Self.bytes[...]), "each once, in order")
            #expect(stops > 1)
        }
    }

    @Test func aFileThatBecameShorterIsToldAndNotSentInPart() throws {
        try Self.withFile { file, path in
            try Self.with(udp: true) { from, to in
                var sender = BlockSender(
                    descriptor: from, content: .file(file, offset: 0, size: 200_000), blockSize: 1000)
                #expect(truncate(path, 5500) == 0)
                #expect(Self.send(&sender, 1...10) == .unreadable)
                #expect(Self.received(to).isEmpty)
                #expect(Self.send(&sender, 1...5) == .sent)
            }
        }
    }

    /// A large block is put together inside the kernel; what is there of one that cannot be sent must not come later.
    @Test(arguments: [20_000, 65_464], [0, 1, 5000, 120_000])
    func nothingIsLeftOfALargeBlockThatIsNotThere(_ size: Int, _ left: Int) throws {
        try Self.withFile { file, path in
            try Self.with(udp: true) { from, to in
                var sender = BlockSender(
                    descriptor: from, content: .file(file, offset: 1000, size: 130_000), blockSize: size)
                #expect(truncate(path, off_t(left)) == 0)
                let block = Int64(max(0, left - 1000) / size + 1)
                for _ in 0..<3 { #expect(Self.send(&sender, block...block) == .unreadable) }
                #expect(Self.received(to).map(\.count) == [])
                try Data(Self.bytes).write(to: URL(filePath: path))
                #expect(truncate(path, 200_000) == 0)
                var whole = BlockSender(
                    descriptor: from, content: .file(try #require(OpenFile(path: path)), offset: 1000, size: 130_000),
                    blockSize: size)
                #expect(Self.send(&whole, 1...1) == .sent)
                #expect(Self.received(to) == Self.expected(1...1, size, Self.bytes[1000..<131_000]))
            }
        }
    }

    /// A socket that has no room for all of a large block sends nothing of it, and goes on when it has.
    @Test(arguments: [20_000, 65_464])
    func aLargeBlockIsSentWholeOrNotAtAll(_ size: Int) throws {
        try Self.withFile { file, _ in
            try Self.with(udp: true) { from, to in
                var sender = BlockSender(
                    descriptor: from, content: .file(file, offset: 0, size: 200_000), blockSize: size)
                var little: Int32 = 1
                try #require(setsockopt(from, SOL_SOCKET, SO_SNDBUF, &little, 4) == 0)
                var progress = BlockSender.Progress.sent
                for _ in 0..<20 where progress == .sent {
                    progress = Self.send(&sender, 1...1)
                    let packets = Self.received(to)
                    #expect(packets.isEmpty || packets == Self.expected(1...1, size, Self.bytes[...]))
                    #expect(packets.isEmpty == (progress != .sent))
                }
                little = 4 << 20
                try #require(setsockopt(from, SOL_SOCKET, SO_SNDBUF, &little, 4) == 0)
                #expect(Self.send(&sender, 2...2) == .sent)
                #expect(Self.received(to) == Self.expected(2...2, size, Self.bytes[...]))
            }
        }
    }
}
