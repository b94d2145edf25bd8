import Testing

@testable import BootPlane

@Suite struct SyslogMessageTests {
    @Test(arguments: [
        ("<13>Oct 11 22:14:15 hv01 su: failed", "Oct 11 22:14:15 hv01 su: failed"),
        ("<165>1 2003-10-11T22:14:15Z h app - - - text", "1 2003-10-11T22:14:15Z h app - - - text"),
        ("no priority", "no priority"), ("<abc>kept", "<abc>kept"), ("<12345678>kept", "<12345678>kept"),
        ("<6>two\nlines\u{0}and\ttabs", "two lines and tabs"), ("", ""), ("<13>", ""),
    ])
    func givesTheReadablePart(bytes: String, expected: String) {
        #expect(SyslogMessage.text(Array(bytes.utf8)) == expected)
    }

    @Test func cutsLongMessages() {
        #expect(SyslogMessage.text([UInt8](repeating: 65, count: 60_000)).count == SyslogMessage.maximumLength)
    }

    @Test func anyBytesGiveOneLine() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...80, using: &generator)).map { _ in UInt8.random(in: 0...255) }
            #expect(!SyslogMessage.text(bytes).unicodeScalars.contains { $0.value < 32 })
        }
    }
}
