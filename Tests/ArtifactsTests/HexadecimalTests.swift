import Artifacts
import Testing

@Suite struct HexadecimalTests {
    @Test func roundTripsEveryByte() {
        let bytes = (0...255).map { UInt8($0) }
        #expect(Hexadecimal.decode(Hexadecimal.encode(bytes)) == bytes)
        #expect(Hexadecimal.encode([0, 15, 16, 255]) == "000f10ff")
        #expect(Hexadecimal.decode("") == [])
    }

    @Test(arguments: ["0", "000", "0A", "AF", "0x", "g0", " 0", "0 ", "é", "００", "-1", "/0", ":0", "`0"])
    func refusesAllButLowerCasePairs(_ text: String) {
        #expect(Hexadecimal.decode(text) == nil)
    }
}
