import Testing

@testable import Site

@Suite struct SpellingTests {
    @Test(arguments: [
        ("gatway", "gateway"), ("gateways", "gateway"), ("gatewya", "gateway"), ("vlna", "vlan"), ("subent", "subnet"),
    ])
    func findsWhatWasMeant(_ word: String, _ meant: String) {
        #expect(Spelling.nearest(to: word, among: ["vlan", "subnet", "gateway", "pool"]) == meant)
    }

    @Test(arguments: ["", "colour", "xyzzy"]) func findsNothingFarAway(_ word: String) {
        #expect(Spelling.nearest(to: word, among: ["vlan", "subnet", "gateway"]) == nil)
        #expect(Spelling.nearest(to: word, among: []) == nil)
    }
}
