import TFTP
import Testing

@Suite struct NegotiationTests {
    private func negotiate(
        _ options: [(name: String, value: String)], fileSize: Int64 = 1000, blockSize: Int = 1468, windowSize: Int = 64
    ) -> TransferParameters {
        TransferParameters(
            options: options, fileSize: fileSize, limits: .init(blockSize: blockSize, windowSize: windowSize))
    }

    private func text(_ parameters: TransferParameters) -> [String] {
        parameters.accepted.map { "\($0.name)=\($0.value)" }
    }

    @Test func withoutOptionsNothingIsAgreed() {
        let parameters = negotiate([])
        #expect(parameters.accepted.isEmpty)
        #expect(parameters.blockSize == 512 && parameters.windowSize == 1 && parameters.timeout == nil)
    }

    @Test(arguments: [(8, 8), (512, 512), (1432, 1432), (1468, 1468), (1469, 1468), (65464, 1468)])
    func blockSizeIsClampedToThePath(_ asked: Int, _ agreed: Int) {
        let parameters = negotiate([("blksize", String(asked))])
        #expect(parameters.blockSize == agreed)
        #expect(text(parameters) == ["blksize=\(agreed)"])
    }

    @Test(arguments: [(1, 1), (4, 4), (64, 64), (65, 64), (65535, 64)])
    func windowSizeIsClampedToTheServersLimit(_ asked: Int, _ agreed: Int) {
        let parameters = negotiate([("windowsize", String(asked))])
        #expect(parameters.windowSize == agreed)
        #expect(text(parameters) == ["windowsize=\(agreed)"])
    }

    @Test(arguments: [0, 1, 4_294_967_297] as [Int64])
    func totalSizeIsTheTrueSize(_ size: Int64) {
        #expect(text(negotiate([("tsize", "0")], fileSize: size)) == ["tsize=\(size)"])
    }

    @Test(arguments: [1, 6, 255])
    func timeoutIsTakenAsAsked(_ seconds: Int) {
        let parameters = negotiate([("timeout", String(seconds))])
        #expect(parameters.timeout == seconds)
        #expect(text(parameters) == ["timeout=\(seconds)"])
    }

    @Test(arguments: [
        ("blksize", "7"), ("blksize", "65465"), ("blksize", "-512"), ("blksize", "512k"), ("blksize", ""),
        ("blksize", "99999999999999999999"), ("windowsize", "0"), ("windowsize", "65536"), ("windowsize", "x"),
        ("timeout", "0"), ("timeout", "256"), ("timeout", "1.5"), ("tsize", ""), ("tsize", "-1"), ("tsize", "none"),
        ("multicast", ""), ("traceparent", "00-1"), ("", "1"),
    ])
    func unknownAndMalformedAndOutOfRangeAreLeftOut(_ name: String, _ value: String) {
        let parameters = negotiate([(name, value)])
        #expect(parameters == negotiate([]))
    }

    @Test func onlyWhatWasAskedIsAnsweredInTheOrderItWasAsked() {
        let asked = [("windowsize", "4"), ("multicast", "1"), ("tsize", "0"), ("timeout", "999"), ("blksize", "1024")]
        #expect(text(negotiate(asked)) == ["windowsize=4", "tsize=1000", "blksize=1024"])
    }

    @Test func theFirstOfARepeatedOptionCounts() {
        #expect(text(negotiate([("blksize", "512"), ("blksize", "1024")])) == ["blksize=512"])
    }

    @Test func aPathTooNarrowForAnyBlockStillGivesTheSmallest() {
        #expect(negotiate([("blksize", "1468")], blockSize: 0).blockSize == 8)
    }
}
