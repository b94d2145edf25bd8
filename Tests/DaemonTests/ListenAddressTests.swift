import Testing

@testable import Daemon

@Suite struct ListenAddressTests {
    @Test(arguments: [
        ("0.0.0.0:80", "0.0.0.0", 80), ("[::]:69", "::", 69), ("127.0.0.1:0", "127.0.0.1", 0),
        ("[fe80::1]:65535", "fe80::1", 65535),
    ])
    func readsAddressAndPort(text: String, host: String, port: Int) throws {
        let address = try #require(ListenAddress(argument: text))
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.description == text)
    }

    @Test(arguments: [
        "", "80", ":80", "localhost:80", "1.2.3:80", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "::1:80", "[::1]",
        "1.2.3.4:80x",
    ])
    func refusesTheRest(text: String) {
        #expect(ListenAddress(argument: text) == nil)
    }

    @Test func knowsLoopback() {
        #expect(ListenAddress(argument: "127.1.2.3:1")?.isLoopback == true)
        #expect(ListenAddress(argument: "[::1]:1")?.isLoopback == true)
        #expect(ListenAddress(argument: "10.0.0.1:1")?.isLoopback == false)
        #expect(ListenAddress(argument: "0.0.0.0:1")?.isLoopback == false)
    }

    @Test func authorityOptionsNameASubstrateAndAMode() {
        #expect(AuthorityOption(argument: "dvntm=off")?.mode == .off)
        #expect(AuthorityOption(argument: "dvntm=auto")?.substrate == "dvntm")
        for text in ["", "dvntm", "=off", "dvntm=on", "a=b=off"] { #expect(AuthorityOption(argument: text) == nil) }
    }
}
