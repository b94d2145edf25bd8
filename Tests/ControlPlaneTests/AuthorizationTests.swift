import Artifacts
import ControlAPI
import Foundation
import HTTPTypes
import Synchronization
import Testing

@testable import ControlPlane

@Suite struct AuthorizationTests {
    private func headers(_ value: String?) -> HTTPFields {
        var headers = HTTPFields()
        headers[.authorization] = value
        return headers
    }

    @Test func onlyTheTokenOpens() throws {
        let token = try #require(Authorization.Token(fileContent: Array("0123456789abcdef\nsecond line".utf8)))
        let authorization = Authorization.token(token)
        let basic = Data("anybody:0123456789abcdef".utf8).base64EncodedString()
        for right in ["Bearer 0123456789abcdef", "bearer 0123456789abcdef", "Basic \(basic)"] {
            let caller = try authorization.caller(headers(right), path: "/v2/", peer: nil)
            #expect(caller == Caller(name: "token file", scopes: [.all]))
        }
        let wrongBasic = Data("0123456789abcdef:".utf8).base64EncodedString()
        for wrong in [
            nil, "", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdefg",
            "Basic 0123456789abcdef", "Basic \(wrongBasic)", "Basic !", "0123456789abcdef",
        ] {
            #expect(throws: ControlError.self, "\(wrong ?? "none")") {
                try authorization.caller(headers(wrong), path: "/v2/", peer: nil)
            }
        }
    }

    @Test func theLocalSocketIsForRootAndForTheServersOwnUser() throws {
        for user in [0, geteuid()] {
            #expect(try Authorization.socket.caller([:], path: "/v2/", peer: LocalPeer(user: user)).isLocal)
        }
        let error = #expect(throws: ControlError.self) {
            try Authorization.socket.caller([:], path: "/v2/", peer: LocalPeer(user: 65534))
        }
        #expect(error?.status == .forbidden)
        #expect(error?.document.errors[0].message.contains("nobody") == true)
        // Of a connection that has closed already the kernel tells nothing: then it is nobody.
        #expect(throws: ControlError.self) { try Authorization.socket.caller([:], path: "/v2/", peer: nil) }
    }

    /// A name that a page was loaded by, and that leads to loopback by now.
    @Test func loopbackIsForItsOwnNamesOnly() throws {
        for own in [nil, "localhost:5000", "LocalHost", "127.0.0.1:5000", "127.0.0.1", "[::1]:5000"] {
            #expect(try Authorization.loopback.caller([:], path: "/v2/", peer: nil, authority: own).isLocal)
        }
        for foreign in [
            "evil.example:5000", "localhost.evil.example", "127.evil.example", "127.0.0.1.evil.example", "[::2]:5000",
            "128.0.0.1",
        ] {
            #expect(throws: ControlError.self, "\(foreign)") {
                try Authorization.loopback.caller([:], path: "/v2/", peer: nil, authority: foreign)
            }
        }
    }

    @Test(arguments: ["", "short", "0123456789abcde", "has a space in it", "0123456789abcde\u{1}f"])
    func aTokenThatCanBeGuessedIsRefused(text: String) {
        #expect(Authorization.Token(fileContent: Array(text.utf8)) == nil)
    }

    /// A page in a browser on the server's machine reaches loopback too.
    @Test func browsersAreRefused() {
        var headers = HTTPFields()
        headers[.origin] = "http://example.net"
        #expect(throws: ControlError.self) { try Authorization.loopback.caller(headers, path: "/v2/", peer: nil) }
    }

    @Test func aTokenDoesNotPrintItself() throws {
        let token = try #require(Authorization.Token(fileContent: Array("0123456789abcdef".utf8)))
        #expect(!"\(token)\(Authorization.token(token))".contains("0123456789"))
    }
}

@Suite struct CallerTests {
    @Test func doesWhatAScopeGivesAndNothingElse() throws {
        let caller = Caller(name: "ci", scopes: [try AccessScope("debian/*:pull,push"), try AccessScope("base:pull")])
        for (verb, name, isAllowed) in [
            (AccessVerb.pull, "debian/12", true), (.push, "debian/a/b", true), (.pull, "base", true),
            (.push, "base", false), (.pull, "debian", false), (.pull, "debianx/a", false),
            (.delete, "debian/12", false),
            (.pull, "base/x", false),
        ] {
            #expect(try caller.may(verb, ArtifactName(name)) == isAllowed, "\(verb) \(name)")
        }
        #expect(!caller.may(.pull, nil))
        #expect(!caller.may(.admin, nil))
        let error = #expect(throws: ControlError.self) { try caller.require(.delete, ArtifactName("base")) }
        #expect(error?.status == .forbidden)
        #expect(error?.document.errors[0].message.contains("base:delete") == true)
        #expect(Caller(name: "me", scopes: [.all]).may(.admin, nil))
    }
}

@Suite struct AccessScopeTests {
    @Test(arguments: ["debian/*:pull,push", "a:delete", "*:admin", "*:admin,delete,promote,pull,push"])
    func readsAndWritesItself(text: String) throws {
        let scope = try AccessScope(text)
        #expect(scope.description == text)
        #expect(try JSONDecoder().decode([AccessScope].self, from: try JSONEncoder().encode([scope])) == [scope])
    }

    @Test(arguments: [
        "", "a", "a:", ":pull", "a:pull:push", "a:fly", "a:pull,", "A:pull", "a*:pull", "/*:pull", "**:pull",
        "a/*:admin", "a:admin", "../*x:pull",
    ])
    func refusesWhatIsNoScope(text: String) {
        #expect(throws: AccessScope.Fault.self) { try AccessScope(text) }
    }
}

@Suite struct FailedAttemptsTests {
    @Test func anAddressThatFailsTooOftenWaitsAndOthersDoNot() throws {
        let now = Mutex<Int64>(100)
        let attempts = FailedAttempts(clock: { now.withLock { $0 } })
        for _ in 0..<FailedAttempts.limit {
            try attempts.require("10.0.0.1")
            attempts.note("10.0.0.1")
        }
        let error = #expect(throws: ControlError.self) { try attempts.require("10.0.0.1") }
        #expect(error?.status == .tooManyRequests)
        #expect(error?.retryAfter == FailedAttempts.window)
        try attempts.require("10.0.0.2")
        now.withLock { $0 += FailedAttempts.window - 1 }
        #expect(throws: ControlError.self) { try attempts.require("10.0.0.1") }
        now.withLock { $0 += 1 }
        try attempts.require("10.0.0.1")
    }

    /// A flood from many addresses neither grows without end nor lets off the one that is counted at that moment.
    @Test func aFloodOfAddressesIsBounded() throws {
        let attempts = FailedAttempts(clock: { 0 })
        for number in 0..<10_000 { attempts.note("address \(number)") }
        for _ in 0..<FailedAttempts.limit { attempts.note("last") }
        #expect(throws: ControlError.self) { try attempts.require("last") }
    }
}
