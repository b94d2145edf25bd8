internal import CLinux
internal import Glibc
internal import NIOCore
internal import Synchronization

/// What other threads say to one that waits in epoll(7).
final class Mailbox<Message: Sendable>: Sendable {
    private struct Contents {
        var messages: [Message] = []
        var isClosed = false
    }

    /// Readable from the first message, or the closing, until all is taken; closed with this.
    let event: Int32
    private let contents = Mutex(Contents())

    /// - Throws: `IOError` where there is no descriptor left.
    init() throws(IOError) {
        event = clinux_event_create()
        guard event >= 0 else { throw IOError(errnoCode: errno, reason: "eventfd") }
    }

    deinit { Glibc.close(event) }

    /// Says something. From any thread.
    /// - Returns: false after `close`: nobody will hear it.
    func put(_ message: Message) -> Bool {
        // Nil: closed. Of several messages the first has the event readable already.
        let isFirst: Bool? = contents.withLock { contents in
            guard !contents.isClosed else { return nil }
            contents.messages.append(message)
            return contents.messages.count == 1
        }
        if isFirst == true { clinux_event_signal(event) }
        return isFirst != nil
    }

    /// Lets nothing more be said. From any thread, any number of times.
    func close() {
        contents.withLock { $0.isClosed = true }
        clinux_event_signal(event)
    }

    /// All that was said since the last call, in its order, and whether it was the last of it. By the thread that waits.
    func takeAll() -> (messages: [Message], isClosed: Bool) {
        clinux_event_clear(event)
        return contents.withLock { contents in
            defer { contents.messages = [] }
            return (contents.messages, contents.isClosed)
        }
    }
}
