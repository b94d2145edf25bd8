import TFTP
import Testing

/// The codec: requests as real firmware sends them, and bytes that nobody should send.
@Suite struct PacketTests {
    private func request(_ fields: [String]) -> [UInt8] { [0, 1] + fields.flatMap { Array($0.utf8) + [0] } }

    @Test func readsARequestWithItsOptionsInOrder() throws {
        let packet = try TFTPPacket(request(["/grub/grub.cfg", "OCTET", "TSize", "0", "blksize", "1468"]))
        let expected = ReadRequest(
            fileName: "/grub/grub.cfg", mode: "octet", options: [("tsize", "0"), ("blksize", "1468")])
        #expect(packet == .read(expected))
    }

    @Test func readsARequestWithoutOptions() throws {
        #expect(try TFTPPacket(request(["a", "octet"])) == .read(ReadRequest(fileName: "a")))
    }

    @Test func ignoresGarbageAfterTheLastZero() throws {
        let bytes = request(["a", "octet", "blksize", "512"]) + Array("tsi".utf8)
        #expect(try TFTPPacket(bytes) == .read(ReadRequest(fileName: "a", options: [("blksize", "512")])))
    }

    @Test func ignoresAnOptionWithoutValue() throws {
        #expect(try TFTPPacket(request(["a", "octet", "tsize"])) == .read(ReadRequest(fileName: "a")))
    }

    @Test func recognizesWriteRequestsWithoutReadingThem() throws {
        #expect(try TFTPPacket([0, 2, 0xff, 0xff, 0xff]) == .write)
    }

    @Test func readsAcknowledgementsAndErrors() throws {
        #expect(try TFTPPacket([0, 4, 0xab, 0xcd]) == .acknowledgement(0xabcd))
        #expect(
            try TFTPPacket([0, 5, 0, 8] + Array("User aborted".utf8) + [0]) == .error(code: 8, message: "User aborted"))
        #expect(try TFTPPacket([0, 5, 0, 0]) == .error(code: 0, message: ""))
    }

    @Test func cutsAnEndlessErrorMessage() throws {
        let packet = try TFTPPacket([0, 5, 0, 1] + [UInt8](repeating: 65, count: 9000))
        #expect(packet == .error(code: 1, message: String(repeating: "A", count: 200)))
    }

    @Test(arguments: [[], [0], [0, 1], [0, 1, 0], [0, 4, 1]] as [[UInt8]])
    func refusesWhatIsTooShort(_ bytes: [UInt8]) {
        #expect(throws: TFTPPacket.Malformed.truncated) { try TFTPPacket(bytes) }
    }

    @Test(arguments: ["a", "a\0octet", "abcdef"])
    func refusesARequestWithoutACompleteMode(_ text: String) {
        #expect(throws: TFTPPacket.Malformed.truncated) { try TFTPPacket([0, 1] + Array(text.utf8)) }
    }

    @Test(arguments: [0, 3, 6, 7, 255, 256, 0x0100, 0xffff] as [UInt16])
    func refusesOperationsThatNoClientSends(_ operation: UInt16) {
        let bytes = [UInt8(operation >> 8), UInt8(operation & 255), 0, 1, 0]
        #expect(throws: TFTPPacket.Malformed.unknownOperation) { try TFTPPacket(bytes) }
    }

    @Test func refusesARequestThatIsTooLong() throws {
        let longest = TFTPPacket.maximumRequestSize - "octet".utf8.count - 4
        _ = try TFTPPacket(request([String(repeating: "x", count: longest), "octet"]))
        let tooLong = request([String(repeating: "x", count: longest + 1), "octet"])
        #expect(throws: TFTPPacket.Malformed.tooLong) { try TFTPPacket(tooLong) }
    }

    /// A trap would end the whole run, so reaching the end is the proof.
    @Test func takesAnyBytesWithoutATrap() {
        var generator = SeededGenerator(seed: 1)
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = generator.bytes(Int.random(in: 0...80, using: &generator))
            // Half of them start like a packet, else hardly any would get past the operation.
            if bytes.count >= 2, generator.chance(0.5) {
                bytes[0] = 0
                bytes[1] = UInt8.random(in: 1...6, using: &generator)
            }
            // Zeros end fields: a random string of 80 bytes has almost none.
            for index in bytes.indices.dropFirst(2) where generator.chance(0.2) { bytes[index] = 0 }
            guard let packet = try? TFTPPacket(bytes) else { continue }
            accepted += 1
            guard case .read(let request) = packet else { continue }
            _ = TFTPPath.normalized(request.fileName)
            let parameters = TransferParameters(
                options: request.options, fileSize: 1,
                limits: .init(blockSize: Int.random(in: 0...1500, using: &generator)))
            #expect(parameters.accepted.count <= request.options.count)
            #expect((8...65464).contains(parameters.blockSize) && parameters.windowSize >= 1)
        }
        #expect(accepted > 1000)
    }

    @Test func readsASliceOfALargerBuffer() throws {
        let buffer: [UInt8] = [9, 9, 9, 0, 4, 0, 7, 9]
        #expect(try TFTPPacket(buffer[3..<7]) == .acknowledgement(7))
    }

    @Test func writesErrorsWithoutInnerZeros() {
        #expect(TFTPPacket.error(.fileNotFound, "no\0pe") == [0, 5, 0, 1] + Array("nope".utf8) + [0])
        #expect(TFTPPacket.error(.notDefined, String(repeating: "x", count: 500)).count == 205)
    }

    @Test func writesOptionAcknowledgements() {
        let bytes = TFTPPacket.optionAcknowledgement([("tsize", "12"), ("blksize", "512")])
        #expect(bytes == [0, 6] + Array("tsize\012\0blksize\0512\0".utf8))
    }

    @Test func blockNumbersGoOnWithZeroAfter65535() {
        #expect(TFTPPacket.dataHeader(block: 65535) == (0, 3, 255, 255))
        #expect(TFTPPacket.dataHeader(block: 65536) == (0, 3, 0, 0))
        #expect(TFTPPacket.dataHeader(block: 65537) == (0, 3, 0, 1))
    }
}
