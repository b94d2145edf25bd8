internal import Boot

/// The answer to a request for a script, to be given again to the same request. There is one for each machine of a site, so it holds
/// nothing twice.
final class KnownAnswer: Sendable {
    private enum Content {
        /// Head and body, where no two boots differ.
        case whole([UInt8])
        /// The head, but for the length of the body.
        case cut(head: [UInt8], ScriptPieces)
    }

    /// Whose boot it is.
    let host: String
    /// To be noted when it was given.
    let event: BootEvent
    /// What its machine has to load, where that has to wait for its turn.
    let load: BootPacer.Load?
    let keepsAlive: Bool
    private let content: Content

    /// `head`: but for the length of the body.
    init(script: DecidedScript, event: BootEvent, head: [UInt8], keepsAlive: Bool) {
        host = script.host
        load = script.load
        self.event = event
        self.keepsAlive = keepsAlive
        content = script.pieces.whole.map { .whole(Self.join(head, $0)) } ?? .cut(head: head, script.pieces)
    }

    /// Head and body; nil where a token is needed and there is none to give.
    func bytes(token: () -> String?) -> [UInt8]? {
        switch content {
        case .whole(let bytes): bytes
        case .cut(let head, let pieces): pieces.bytes(token: token).map { Self.join(head, $0) }
        }
    }

    private static func join(_ head: [UInt8], _ body: [UInt8]) -> [UInt8] {
        let end = ResponseHead.end(length: body.count)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(head.count + end.count + body.count)
        for part in [head, end, body] { bytes += part }
        return bytes
    }
}
