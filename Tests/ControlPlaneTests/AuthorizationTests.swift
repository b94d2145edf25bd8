import HTTPTypes
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
        let authorization = Authorization.bearer(token)
        try authorization.check(headers("Bearer 0123456789abcdef"), path: "/v2/")
        try authorization.check(headers("bearer 0123456789abcdef"), path: "/v2/")
        for wrong in [
            nil, "", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdefg",
            "Basic 0123456789abcdef", "0123456789abcdef",
        ] {
            #expect(throws: ControlError.self, "\(wrong ?? "none")") {
                try authorization.check(headers(wrong), path: "/v2/")
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
        #expect(throws: ControlError.self) { try Authorization.local.check(headers, path: "/v2/") }
    }

    @Test func aTokenDoesNotPrintItself() throws {
        let token = try #require(Authorization.Token(fileContent: Array("0123456789abcdef".utf8)))
        #expect(!"\(token)\(Authorization.bearer(token))".contains("0123456789"))
    }
}
