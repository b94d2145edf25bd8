import ConfigurationFile
import Site
import Testing

/// What an unknown key of a segment is taken for, among `vlan`, `subnet`, `gateway` and `pool`.
@Suite struct SpellingTests {
    private static func hint(_ key: String) throws -> String {
        let text = BaseSite.text.replacing("{vlan: 999}", with: "{vlan: 999, \"\(key)\": 1}")
        let message = try #require(BaseSite.parse(text).diagnostics.first?.message)
        return String(message.drop { $0 != ":" }.dropFirst(2))
    }

    @Test(arguments: [
        ("gatway", "gateway"), ("gateways", "gateway"), ("gatewya", "gateway"), ("vlna", "vlan"), ("subent", "subnet"),
        ("pol", "pool"), ("Pool", "pool"),
    ])
    func findsWhatWasMeant(_ key: String, _ meant: String) throws {
        #expect(try Self.hint(key) == "did you mean '\(meant)'?")
    }

    @Test(arguments: ["", "colour", "xyzzy", String(repeating: "x", count: 1000)])
    func listsWhatIsKnownOtherwise(_ key: String) throws {
        #expect(try Self.hint(key) == "known here: gateway, pool, subnet, vlan")
    }
}
