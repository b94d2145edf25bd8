import Testing

@testable import BootPlane

@Suite struct SyslogFramingTests {
    private static func messages(_ stream: String, in size: Int) throws -> [String] {
        var framing = SyslogFraming()
        var found: [[UInt8]] = []
        let bytes = Array(stream.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            found += try framing.take(bytes[start..<min(bytes.count, start + size)])
        }
        if let last = framing.finish() { found.append(last) }
        return found.map { String(decoding: $0, as: UTF8.self) }
    }

    /// However the stream is cut.
    @Test(arguments: 1...40)
    func findsLinesAndCountedMessages(_ size: Int) throws {
        let stream = "<13>one\n<13>two\r\n9 <13>three9 <13>fo\nur\n\0<13>five\0" + "<13>the end"
        #expect(
            try Self.messages(stream, in: size)
                == ["<13>one", "<13>two\r", "<13>three", "<13>fo\nur", "<13>five", "<13>the end"])
    }

    @Test func keepsTheBeginningOfALongMessageAndGoesOn() throws {
        let long = String(repeating: "a", count: 60_000)
        for stream in ["<13>\(long)\n<13>next\n", "60004 <13>\(long)8 <13>next"] {
            let found = try Self.messages(stream, in: 1000)
            #expect(found.map(\.utf8.count) == [SyslogMessage.maximumSize, 8])
            #expect(found.last == "<13>next")
        }
    }

    @Test(arguments: ["65537 <13>", "99999999999999999999 a", "1x2 <13>", "12<13>"])
    func refusesACountThatNoMessageHas(_ stream: String) {
        #expect(throws: SyslogFraming.Unreadable.self) { try Self.messages(stream, in: 3) }
    }
}
