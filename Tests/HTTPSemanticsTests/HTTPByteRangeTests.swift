import HTTPSemantics
import Testing

@Suite struct HTTPByteRangeTests {
    @Test(
        arguments: [
            (nil, HTTPByteRange.whole), ("bytes=0-0", .part(0...0)), ("bytes=0-99", .part(0...99)),
            ("bytes=0-100", .part(0...99)), ("bytes=99-", .part(99...99)), ("bytes=-1", .part(99...99)),
            ("bytes=-1000", .part(0...99)), ("BYTES=5-6", .part(5...6)), ("bytes=100-", .unsatisfiable),
            ("bytes=100-200", .unsatisfiable), ("bytes=-0", .unsatisfiable),
            ("bytes=99999999999999999999999-", .unsatisfiable), ("bytes=0-99999999999999999999999", .part(0...99)),
        ] as [(String?, HTTPByteRange)])
    func readsOneRangeAgainstAHundredBytes(header: String?, expected: HTTPByteRange) {
        #expect(HTTPByteRange(header: header, size: 100) == expected)
    }

    @Test(arguments: [
        "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=1-2-3", "bytes=+1-2", "bytes=1.0-2",
        "lines=1-2",
        "bytes=0-1,3-4", "bytes=--5", "bytes=\u{0661}-5",
    ])
    func answersWhatIsNoSingleRangeWithTheWhole(header: String) {
        #expect(HTTPByteRange(header: header, size: 100) == .whole)
    }

    @Test(
        arguments: [
            ("bytes=0-1,3-4", .parts([0...1, 3...4])), ("bytes= 90- , 5-6 ,,\t-0", .parts([90...99, 5...6])),
            ("bytes=0-1,", .part(0...1)), ("bytes=0-1,100-", .part(0...1)), ("bytes=100-,200-300", .unsatisfiable),
            ("bytes=0-1,1-2", .whole), ("bytes=-5,96-97", .whole), ("bytes=0-1,b", .whole), ("bytes=,", .whole),
            ("bytes=0-0,2-2,4-4,6-6", .whole),
        ] as [(String, HTTPByteRange)])
    func readsSeveralWhereThreeAreTheMost(header: String, expected: HTTPByteRange) {
        #expect(HTTPByteRange(header: header, size: 100, maximumParts: 3) == expected)
    }

    @Test func anEmptyFileHasNoPart() {
        #expect(HTTPByteRange(header: "bytes=0-", size: 0) == .unsatisfiable)
        #expect(HTTPByteRange(header: "bytes=-5", size: 0) == .unsatisfiable)
        #expect(HTTPByteRange(header: nil, size: 0) == .whole)
    }

    @Test func neverLeavesTheFileForAnyText() {
        var generator = SystemRandomNumberGenerator()
        let letters = Array("bytes=-,0123456789 \u{7f}abc")
        for _ in 0..<5000 {
            let text =
                "bytes="
                + String((0..<Int.random(in: 0...12, using: &generator)).map { _ in letters.randomElement() ?? "0" })
            if case .part(let part) = HTTPByteRange(header: text, size: 1000) {
                #expect(part.lowerBound >= 0 && part.upperBound < 1000, "\(text)")
            }
        }
    }
}
