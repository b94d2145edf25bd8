import Testing

@testable import Operator

@Suite struct ProgressReportTests {
    @Test func aBarTellsShareRateAndRest() {
        #expect(
            ProgressReport.line("send x", done: 50_000_000, total: 100_000_000, seconds: 2)
                == "send x [############............] 50 % of 100.0 MB, 25.0 MB/s, 2 s left")
    }

    @Test func whatWasThereAlreadyIsNoRate() {
        #expect(
            ProgressReport.line("send x", done: 60, total: 100, seconds: 1, first: 50)
                == "send x [##############..........] 60 % of 100 B, 10 B/s, 4 s left")
    }

    @Test func theFirstMomentHasNoRate() {
        #expect(ProgressReport.line("x", done: 0, total: 10, seconds: 0) == "x [........................] 0 % of 10 B")
        #expect(ProgressReport.line("x", done: 0, total: 0, seconds: 0) == "x [########################] 100 % of 0 B")
    }

    @Test(
        arguments: [
            (0, "0 B"), (999, "999 B"), (1000, "1.00 KB"), (1_500_000, "1.50 MB"), (40_810_276, "40.8 MB"),
            (999_600, "1.00 MB"),
            (5_000_000_000, "5.00 GB"), (Int64.max, "9223372.0 TB"),
        ] as [(Int64, String)])
    func bytesAreReadable(bytes: Int64, expected: String) {
        #expect(ByteCount(bytes).description == expected)
    }
}
