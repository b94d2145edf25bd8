internal import Boot
internal import Dispatch
internal import NIOCore
internal import Site
internal import Synchronization

/// Scripts that boot, by who asked and in which words: a rack that starts asks the same again and again, and deciding and
/// writing a script costs many times what sending it does. What was decided holds as long as nothing is changed that decisions
/// are made on; then all are forgotten.
final class ScriptCache: Sendable {
    struct Key: Hashable {
        /// The whole request, as it was sent.
        let request: ByteBuffer
        let address: IPv4Address?
    }

    /// Twice as many machines as a site may have: one may ask in other words than its firmware did.
    static let limit = 20_000
    /// Requests that no loader sends are not worth keeping.
    private static let longestRequest = 1024

    private struct State {
        var basis: DecisionBasis?
        /// Those that were asked for since `older` was begun, and those before them: whoever asks in ever new words has forgotten
        /// what nobody else asks for.
        var recent: [Key: KnownAnswer] = [:]
        var older: [Key: KnownAnswer] = [:]

        /// Gives back what was forgotten for it, to be freed where nobody waits.
        mutating func keep(_ answer: KnownAnswer, _ key: Key) -> [Key: KnownAnswer] {
            var forgotten: [Key: KnownAnswer] = [:]
            if recent.count >= ScriptCache.limit / 2 { (recent, older, forgotten) = ([:], recent, older) }
            recent[key] = answer
            return forgotten
        }
    }

    private let state = Mutex(State())

    /// How many are kept.
    var count: Int { state.withLock { $0.recent.count + $0.older.count } }

    /// nil where nothing is known that was decided on this basis.
    func answer(_ key: Key, on basis: DecisionBasis) -> KnownAnswer? {
        let (answer, forgotten) = state.withLock { state -> (KnownAnswer?, [Key: KnownAnswer]) in
            guard state.basis == basis else { return (nil, [:]) }
            if let answer = state.recent[key] { return (answer, [:]) }
            guard let place = state.older.index(forKey: key) else { return (nil, [:]) }
            let known = state.older.remove(at: place)
            return (known.value, state.keep(known.value, known.key))
        }
        free(forgotten)
        return answer
    }

    /// `basis`: as it was before it was decided. What was decided while it changed goes under the old one, which nobody asks for
    /// again.
    func store(_ answer: KnownAnswer, _ key: Key, on basis: DecisionBasis) {
        guard key.request.readableBytes <= Self.longestRequest else { return }
        // Of its own size: what came from a socket is in a buffer for much more.
        let key = Key(request: ByteBuffer(bytes: key.request.readableBytesView), address: key.address)
        let forgotten = state.withLock { state in
            guard state.basis != basis else { return [state.keep(answer, key)] }
            defer { state = State(basis: basis, recent: [key: answer]) }
            return [state.recent, state.older]
        }
        for forgotten in forgotten { free(forgotten) }
    }

    /// Ten thousand take some milliseconds, which no event loop has.
    private func free(_ forgotten: [Key: KnownAnswer]) {
        guard !forgotten.isEmpty else { return }
        DispatchQueue.global(qos: .utility).async { withExtendedLifetime(forgotten) {} }
    }
}
