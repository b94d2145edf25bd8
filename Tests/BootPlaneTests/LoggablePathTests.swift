import Testing

@testable import BootPlane

@Suite struct LoggablePathTests {
    @Test(arguments: [
        ("/hosts/hv01.1.2.3/answer", "/hosts/(token)/answer"), ("hosts/hv01.1.2.3/up?x=1", "/hosts/(token)/up"),
        ("//hosts//hv01.1.2.3", "/hosts/(token)"), ("/%68osts/hv01.1.2.3/up", "/hosts/(token)/up"),
        ("/./hosts/x/up", "/hosts/(token)/up"),
        ("/os:1/linux", "/os:1/linux"),
        ("/ipxe/script?mac=1", "/ipxe/script"),
    ])
    func holdsNoTokenAndNoQuery(uri: String, expected: String) {
        #expect(LoggablePath.of(uri) == expected)
    }
}
