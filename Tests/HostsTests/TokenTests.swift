import Artifacts
import Foundation
import Testing

@testable import Hosts

/// Per-boot tokens: only what was issued with the key, for the host, in time and since the last arming.
@Suite struct TokenTests {
    @Test func aTokenNamesItsHost() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let token = try #require(ledger.issueToken(host: "one"))
        #expect(try ledger.host(forToken: token) == "one")
        #expect(token != ledger.issueToken(host: "one"))
    }

    @Test func aTokenIsGoodAfterARestart() throws {
        let place = try Ledger()
        let token = try #require(try place.open().issueToken(host: "one"))
        #expect(try place.open().host(forToken: token) == "one")
    }

    @Test func aTokenOfAnotherKeyIsRefused() throws {
        let place = try Ledger()
        let key: AuthenticationKey = try #require(AuthenticationKey.random())
        let other = try place.open(key: key)
        let token = try #require(other.issueToken(host: "one"))
        #expect(throws: HostsError(.invalidToken, "")) { try place.open().host(forToken: token) }
    }

    /// Each character of the token changed, each prefix, each suffix.
    @Test func noForgeryIsAccepted() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let token = try #require(ledger.issueToken(host: "one"))
        let characters = Array(token)
        var forgeries = Set(
            (0..<characters.count).flatMap { [String(characters[..<$0]), String(characters[($0 + 1)...])] })
        for index in characters.indices {
            for replacement in ["0", "f", ".", "z", "O"] as [Character] where characters[index] != replacement {
                var forgery = characters
                forgery[index] = replacement
                forgeries.insert(String(forgery))
            }
        }
        forgeries.formUnion([token + "0", token + ".", token + ".00", " " + token, token.uppercased(), "...", ""])
        forgeries.remove(token)
        #expect(forgeries.count > 300)
        for forgery in forgeries {
            #expect(throws: HostsError(.invalidToken, ""), "\(forgery)") { try ledger.host(forToken: forgery) }
        }
    }

    @Test func aTokenForOneHostCannotBeTurnedIntoAnothers() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let token = try #require(ledger.issueToken(host: "one"))
        let forgery = "two" + token.dropFirst(3)
        #expect(throws: HostsError(.invalidToken, "")) { try ledger.host(forToken: forgery) }
    }

    @Test func aTokenExpires() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let token = try #require(ledger.issueToken(host: "one"))
        place.advance(BootToken.lifetime - 1)
        #expect(try ledger.host(forToken: token) == "one")
        place.advance(1)
        #expect(throws: HostsError(.invalidToken, "")) { try ledger.host(forToken: token) }
        #expect(throws: HostsError(.invalidToken, "")) { try ledger.reportInstalled(token: token, address: nil) }
        #expect(!ledger.isInstalled(host: "one"))
    }

    @Test func armingEndsEarlierTokensOfThatHostOnly() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let early = try #require(ledger.issueToken(host: "one"))
        let other = try #require(ledger.issueToken(host: "two"))
        place.advance(1)
        try ledger.arm(host: "one")
        let late = try #require(ledger.issueToken(host: "one"))
        #expect(throws: HostsError(.invalidToken, "")) { try ledger.host(forToken: early) }
        #expect(throws: HostsError(.invalidToken, "")) { try ledger.reportInstalled(token: early, address: nil) }
        #expect(throws: HostsError(.invalidToken, "")) { try ledger.reportUp(token: early, address: nil) }
        #expect(try ledger.host(forToken: other) == "two")
        #expect(try ledger.host(forToken: late) == "one")
        // The arming is remembered, and with it that the token has ended.
        #expect(throws: HostsError(.invalidToken, "")) { try place.open().host(forToken: early) }
    }

    @Test func aTokenHidesInNoMessage() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let token = try #require(ledger.issueToken(host: "one")) + "0"
        let error = #expect(throws: HostsError.self) { try ledger.host(forToken: token) }
        #expect(error?.description.contains(token.suffix(20)) == false)
    }
}
