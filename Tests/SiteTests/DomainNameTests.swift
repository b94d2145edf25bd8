import Site
import Testing

@Suite struct DomainNameTests {
    @Test(arguments: [
        "a", "example.net", "a-b.c--d.e", "1.2", "xn--bcher-kva.example", String(repeating: "a", count: 63),
    ])
    func roundTrips(_ text: String) {
        #expect(DomainName(text)?.description == text)
    }

    @Test(arguments: [
        "", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "A", "a_b", "a b", "a\n", "é", "a\u{301}", "a/b", "*", "a,b",
        "${x}",
        String(repeating: "a", count: 64),
    ])
    func refuses(_ text: String) {
        #expect(DomainName(text) == nil)
    }

    @Test func holdsAtMost253Characters() {
        let labels = Array(repeating: String(repeating: "a", count: 49), count: 5).joined(separator: ".")
        #expect(DomainName(labels + ".abc") != nil)
        #expect(DomainName(labels + ".abcd") == nil)
    }

    @Test func withinGoesByLabels() throws {
        let zone = try #require(DomainName("lab.example.net"))
        #expect(zone.isWithin(zone))
        #expect(zone.prefixed("hv01").isWithin(zone))
        #expect(!(try #require(DomainName("collab.example.net"))).isWithin(zone))
        #expect(!(try #require(DomainName("example.net"))).isWithin(zone))
    }
}
