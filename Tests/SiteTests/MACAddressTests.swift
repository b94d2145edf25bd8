import Site
import Testing

@Suite struct MACAddressTests {
    @Test(arguments: [
        "52:54:00:ab:cd:ef", "52:54:00:AB:CD:EF", "52-54-00-ab-cd-ef", "52-54-00-AB-cd-EF", "525400abcdef",
        "525400ABCDEF",
        "01-52-54-00-ab-cd-ef", "01:52:54:00:ab:cd:ef",
    ])
    func readsEverySpellingOfFirmware(_ text: String) throws {
        let mac = try #require(MACAddress(text))
        #expect(mac.description == "52:54:00:ab:cd:ef")
        #expect(mac.dashed == "52-54-00-ab-cd-ef")
        #expect(mac.value == 0x5254_00ab_cdef)
    }

    @Test(arguments: [
        "", "UNKNOWN", "52:54:00:ab:cd", "52:54:00:ab:cd:e", "52:54:00:ab:cd:ef:00", "52:54:00:ab:cd:eg",
        "52:54-00:ab:cd:ef",
        "52.54.00.ab.cd.ef", "5254.00ab.cdef", "525400-abcdef", "02-52-54-00-ab-cd-ef", "01-525400abcdef",
        ":::::::::::::::::",
        " 52:54:00:ab:cd:ef", "52:54:00:ab:cd:ef\n", "52:54:00:ab:cd:é", "52:54:00:ab:cd:e\u{301}f",
        "-----------------",
        "５２５４００", "0x5254000000", "+25400abcdef",
    ])
    func refusesAllElse(_ text: String) {
        #expect(MACAddress(text) == nil)
    }

    @Test func canonicalIsOneSpelling() {
        #expect(MACAddress(canonical: "52:54:00:ab:cd:ef") != nil)
        for text in ["52:54:00:AB:CD:EF", "52-54-00-ab-cd-ef", "525400abcdef", "01-52-54-00-ab-cd-ef"] {
            #expect(MACAddress(canonical: text) == nil)
        }
    }

    @Test func knowsGroupAddresses() throws {
        #expect(try #require(MACAddress("01:00:5e:00:00:01")).isMulticast)
        #expect(try #require(MACAddress("ff:ff:ff:ff:ff:ff")).isMulticast)
        #expect(!(try #require(MACAddress("52:54:00:00:00:01"))).isMulticast)
    }

    @Test func writesLeadingZeros() {
        #expect(MACAddress(value: 0x0000_0a00_0001).description == "00:00:0a:00:00:01")
        #expect(MACAddress(value: .max).description == "ff:ff:ff:ff:ff:ff")
    }
}
