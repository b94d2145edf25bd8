internal import Boot
internal import NIOCore

/// The answer to a request for a script, to be given again to the same request.
final class KnownAnswer: Sendable {
    let script: DecidedScript
    /// To be noted when it was given.
    let event: BootEvent
    /// What its machine has to load, where that has to wait for its turn.
    let load: BootPacer.Load?
    let keepsAlive: Bool
    /// The head, but for the length of the body.
    private let head: [UInt8]
    /// Head and body, where no two boots differ.
    private let whole: ByteBuffer?

    init(script: DecidedScript, load: BootPacer.Load?, head: [UInt8], keepsAlive: Bool) {
        self.script = script
        event = .script(script.request, script.decision)
        self.load = load
        self.head = head
        self.keepsAlive = keepsAlive
        whole = script.pieces.count == 1 ? script.pieces.first.map { Self.join(head, $0) } : nil
    }

    /// Head and body; nil where a token is needed and there is none to give.
    func bytes(token: () -> String?) -> ByteBuffer? { whole ?? script.bytes(token: token).map { Self.join(head, $0) } }

    private static func join(_ head: [UInt8], _ body: [UInt8]) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: head.count + body.count + 32)
        buffer.writeBytes(head)
        ResponseHead.endWithLength(body.count, into: &buffer)
        buffer.writeBytes(body)
        return buffer
    }
}
