import Authority
import ControlAPI
import Site
import TestSupport
import Testing

@testable import Daemon

@Suite struct AuthorityStatesTests {
    @Test func tellsEachSubstrateWhatIsKnownOfIt() throws {
        let site = try #require(Site.parse(Array(SiteFixture().yaml.utf8)).site)
        let states = AuthorityStates()
        #expect(states.list(for: site).first?.isAnswering == false)
        states.replace([.init(substrate: "dvntm", text: "answering DNS and DHCP on br0", isAnswering: true)])
        #expect(states.list(for: site).first?.state == "answering DNS and DHCP on br0")
        #expect(states.list(for: site).first?.isAnswering == true)
        // What was known is not believed any longer than the process that said it is there.
        states.lose("it does not answer")
        #expect(states.list(for: site).first?.state == "it does not answer")
        #expect(states.list(for: site).first?.isAnswering == false)
    }

    @Test func aRoutersSubstrateIsLeftToIt() throws {
        let site = try #require(Site.parse(Array(SiteFixture(declared: "router").yaml.utf8)).site)
        let states = AuthorityStates()
        states.lose("it does not answer")
        #expect(states.list(for: site).map(\.state) == ["left to the router"])
    }
}
