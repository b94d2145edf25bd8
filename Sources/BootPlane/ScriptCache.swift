internal import Boot
internal import Site
internal import Synchronization

/// Scripts that boot, by who asked: a rack that starts asks the same again and again, and deciding and writing a script costs
/// many times what sending it does. What was decided holds as long as nothing is changed that decisions are made on; then
/// all are forgotten.
final class ScriptCache: Sendable {
    struct Key: Hashable {
        /// The path with its query, as it was sent.
        let target: String
        let address: IPv4Address?
    }

    struct Entry {
        let request: BootRequest
        let decision: BootDecision
        /// The script, cut where the token of one boot belongs.
        let pieces: [[UInt8]]

        /// `token` is asked for where the script has a place for it; nil where there is none to give.
        func bytes(token: () -> String?) -> [UInt8]? {
            guard pieces.count > 1 else { return pieces.first }
            guard let token = token().map({ Array($0.utf8) }) else { return nil }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(pieces.reduce(0) { $0 + $1.count } + token.count * (pieces.count - 1))
            for (index, piece) in pieces.enumerated() {
                if index > 0 { bytes += token }
                bytes += piece
            }
            return bytes
        }
    }

    /// As many machines as a site may have; whoever asks for one in ever new words has only the cache emptied.
    static let limit = 20_000
    /// Targets that no loader sends are not worth keeping.
    private static let longestTarget = 512

    private struct State {
        var basis: DecisionBasis?
        var entries: [Key: Entry] = [:]
    }

    private let state = Mutex(State())

    /// How many are kept.
    var count: Int { state.withLock { $0.entries.count } }

    /// nil where nothing is known that was decided on this basis.
    func entry(_ key: Key, on basis: DecisionBasis) -> Entry? {
        state.withLock { $0.basis == basis ? $0.entries[key] : nil }
    }

    /// `basis`: as it was before it was decided. What was decided while it changed goes under the old one, which nobody asks for
    /// again.
    func store(_ entry: Entry, _ key: Key, on basis: DecisionBasis) {
        guard key.target.utf8.count <= Self.longestTarget else { return }
        state.withLock { state in
            if state.basis != basis || state.entries.count >= Self.limit {
                state.entries = [:]
                state.basis = basis
            }
            state.entries[key] = entry
        }
    }

    /// A token's place, which no script has in it by chance and nobody can foresee.
    static func makePlace() -> String {
        "t" + (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined()
    }

    /// Cuts a script at the places of its token.
    static func pieces(_ text: String, at place: String) -> [[UInt8]] {
        let bytes = Array(text.utf8)
        let mark = Array(place.utf8)
        var pieces: [[UInt8]] = []
        var start = 0
        var index = 0
        while index + mark.count <= bytes.count {
            if bytes[index] == mark[0], bytes[index..<index + mark.count].elementsEqual(mark) {
                pieces.append(Array(bytes[start..<index]))
                index += mark.count
                start = index
            } else {
                index += 1
            }
        }
        return pieces + [Array(bytes[start...])]
    }
}
