import Artifacts
import NIOHTTP1
import Testing

@testable import BootPlane

@Suite struct ResponsePlanTests {
    static let digest = SHA256.digest(of: "0123456789".utf8)
    static let resource = BootResource(
        .bytes(Array("0123456789".utf8)), mediaType: "text/plain", digest: digest, isImmutable: true, event: .stage1)

    private func plan(_ headers: HTTPHeaders) -> ResponsePlan {
        ResponsePlan(
            Self.resource, request: HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: headers))
    }

    @Test func theWholeHasItsLengthAndIsNoted() {
        let plan = plan([:])
        #expect(plan.status == .ok)
        #expect(plan.headers["content-length"] == ["10"])
        #expect(plan.headers["etag"] == ["\"\(Self.digest)\""])
        #expect(plan.headers["cache-control"] == ["public, max-age=31536000, immutable"])
        #expect(plan.event == .stage1)
    }

    /// GRUB 2.06 finds the length under this spelling only.
    @Test func theLengthIsSpelledAsGRUBReadsIt() {
        for plan in [plan([:]), plan(["range": "bytes=2-4"]), ResponsePlan(status: .notFound, text: "no")] {
            #expect(plan.headers.contains { $0.name == "Content-Length" })
        }
        let late = ResponsePlan(text: "later", retryAfter: 5)
        #expect(late.status == .serviceUnavailable && late.headers["retry-after"] == ["5"])
    }

    @Test func aPartTellsItsPlaceAndOnlyTheLastIsNoted() {
        let first = plan(["range": "bytes=0-4"])
        #expect(first.status == .partialContent)
        #expect(first.headers["content-range"] == ["bytes 0-4/10"])
        #expect(first.headers["content-length"] == ["5"])
        #expect(first.event == nil)
        #expect(plan(["range": "bytes=5-"]).event == .stage1)
    }

    @Test func anImpossibleRangeTellsTheSize() {
        let plan = plan(["range": "bytes=10-"])
        #expect(plan.status == .rangeNotSatisfiable)
        #expect(plan.headers["content-range"] == ["bytes */10"])
        #expect(plan.length == 0)
    }

    @Test(arguments: ["\"\(digest)\"", "W/\"\(digest)\"", "*", "\"x\", \"\(digest)\""])
    func whatTheClientHasIsNotSentAgain(condition: String) {
        #expect(plan(["if-none-match": condition]).status == .notModified)
    }

    @Test func aRangeOfOtherBytesGetsTheWhole() {
        #expect(plan(["range": "bytes=0-4", "if-range": "\"other\""]).status == .ok)
        #expect(plan(["range": "bytes=0-4", "if-range": "\"\(Self.digest)\""]).status == .partialContent)
    }
}
