import ControlAPI
import Testing

@testable import Operator

@Suite struct RenderingTests {
    @Test func tablesAlignWithoutTrailingSpace() {
        #expect(
            OutputFormat.table(["A", "LONG"], [["wide cell", "x"], ["y", ""]])
                == "A          LONG\nwide cell  x\ny          ")
    }

    @Test func aTimelineHasOneLineForEachStep() {
        let events = [
            HostReport.Event(time: 1_000_000, kind: "dhcp", detail: "10.20.99.21", bytes: nil),
            HostReport.Event(time: 1_002_500, kind: "kernel", detail: "os:1/linux", bytes: 8_222_656),
        ]
        #expect(
            HostShowCommand.timeline(events) == """
                1970-01-01T00:16:40Z             dhcp      10.20.99.21
                1970-01-01T00:16:42Z     +2.5 s  kernel    os:1/linux (8.22 MB)
                """)
    }

    @Test func aMachineThatWasNeverSeenSaysSo() {
        let text = HostShowCommand.text(HostReport(macs: ["52:54:00:00:00:01"], state: "expected"))
        #expect(text.contains("state    expected"))
        #expect(text.hasSuffix("never seen"))
    }

    @Test(arguments: [
        ("linux", "linux", "linux"), ("./a/b/linux", "linux", "./a/b/linux"), ("boot/linux=/x/y", "boot/linux", "/x/y"),
        ("a=b=c", "a", "b=c"), ("=x", "=x", "=x"),
    ])
    func filesMayBeGivenAnotherName(argument: String, path: String, file: String) {
        let split = PushCommand.split(argument)
        #expect(split.path == path)
        #expect(split.file == file)
    }
}
