import Testing

@testable import TFTP

/// Who is answered where more ask than can be.
@Suite struct RequestBacklogTests {
    private static func client(_ number: Int, port: UInt16 = 2000) throws -> DatagramEndpoint {
        let parts = [198, 18 + number >> 16, number >> 8 & 255, number & 255].map(String.init)
        return try #require(DatagramEndpoint(host: parts.joined(separator: "."), port: port))
    }

    private static func isOfTheSite(_ client: DatagramEndpoint) -> Bool {
        client.ipv4.map { $0 >> 16 == 10 << 8 | 20 } ?? false
    }

    private static func all(_ backlog: inout RequestBacklog<String>) -> [String] {
        var requests: [String] = []
        while let next = backlog.popFirst() { requests.append(next.request) }
        return requests
    }

    @Test func whoAnsweredAndWhoIsExpectedComeBeforeAFlood() throws {
        var backlog = RequestBacklog<String>()
        let known = try #require(DatagramEndpoint(host: "203.0.113.5", port: 1111))
        let expected = try #require(DatagramEndpoint(host: "10.20.99.21", port: 1111))
        backlog.hasAnswered(known)
        for number in 0..<1000 {
            backlog.append("stranger \(number)", of: try Self.client(number)) { Self.isOfTheSite($0) }
        }
        backlog.append("expected", of: expected) { Self.isOfTheSite($0) }
        // Each of its files is asked for from another port.
        backlog.append("known", of: known.with(port: 2222)) { Self.isOfTheSite($0) }
        var ranks: [RequestBacklog<String>.Rank] = []
        var requests: [String] = []
        while let (request, rank) = backlog.popFirst() {
            requests.append(request)
            ranks.append(rank)
        }
        #expect(requests == ["known", "expected"] + (0..<1000).map { "stranger \($0)" })
        #expect(ranks.prefix(3) == [.answered, .expected, .stranger])
        #expect(backlog.isEmpty)
    }

    /// A rack that starts together is nobody's flood, and nobody of it is forgotten.
    @Test func whatComesTogetherIsKeptInItsOrder() throws {
        var backlog = RequestBacklog<String>()
        let requests = (0..<RequestBacklog<String>.limit).map { "\($0)" }
        for round in 0..<3 {
            for (number, request) in requests.enumerated() {
                backlog.append(request, of: try Self.client(number)) { _ in round != 1 }
            }
            #expect(Self.all(&backlog) == requests)
        }
    }

    @Test func ofTooManyTheOldestAreForgotten() throws {
        var backlog = RequestBacklog<String>()
        let limit = RequestBacklog<String>.limit
        let client = try Self.client(1)
        for number in 0..<10 * limit + 7 { backlog.append("\(number)", of: client) { _ in false } }
        #expect(Self.all(&backlog) == (9 * limit + 7..<10 * limit + 7).map { "\($0)" })
        backlog.append("next", of: client) { _ in false }
        #expect(Self.all(&backlog) == ["next"])
    }

    /// Whoever goes on asking stays known, and whoever does not is forgotten: hosts do not fill the memory.
    @Test func thoseWhoAnsweredAreRememberedAsLongAsTheyComeBack() throws {
        var backlog = RequestBacklog<Int>()
        let steady = try Self.client(1)
        for number in 2..<5 * RequestBacklog<Int>.hostLimit {
            backlog.hasAnswered(try Self.client(number))
            if number % 1000 == 0 { backlog.hasAnswered(steady) }
        }
        for (client, rank) in [(steady, RequestBacklog<Int>.Rank.answered), (try Self.client(2), .stranger)] {
            backlog.append(0, of: client) { _ in false }
            #expect(backlog.popFirst()?.rank == rank)
        }
    }
}
