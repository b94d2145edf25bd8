import HTTPSemantics
import Testing

@Suite struct HTTPContentRangeTests {
    @Test(arguments: ["0-9", "bytes 0-9/100", "bytes 0-9/*", "bytes 0-9"])
    func bothFormsAreRead(_ header: String) {
        let range = HTTPContentRange(header: header)
        #expect(range?.first == 0 && range?.last == 9 && range?.length == 10)
    }

    @Test(arguments: ["", "-", "9-0", "-1-2", "0", "0-", "a-b", "0-1-2", "0-99999999999999999999", "bytes=0-1"])
    func anythingElseIsNone(_ header: String) { #expect(HTTPContentRange(header: header) == nil) }

    @Test func theLongestHasNoLengthAndDoesNotTrap() {
        #expect(HTTPContentRange(header: "0-\(Int64.max)")?.length == nil)
        #expect(HTTPContentRange(header: "1-\(Int64.max)")?.length == Int64.max)
    }
}
