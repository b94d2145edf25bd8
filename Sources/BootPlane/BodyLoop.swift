internal import CLinux
internal import Dispatch
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import TFTP

/// Sends pieces of files with sendfile(2), on one thread that does nothing else: many clients at once, each as fast as it takes what
/// it gets, in turns. An event loop would have its other connections wait meanwhile, and look at all of them between two turns.
///
/// Nothing here waits for the disk: what is not in memory is read by other threads before its turn.
final class BodyLoop: @unchecked Sendable {
    // @unchecked: after `init` only the thread inside `run` touches the mutable state.

    private enum Message {
        case send(Body)
        case cancel(Body)
        /// What it sends next has been read.
        case warmed(Body)
    }

    /// Bytes that a body sends in its turn, at most.
    static let turn: Int64 = 1 << 20

    private let readers: NIOThreadPool
    private let isCached: @Sendable (OpenFile, _ offset: Int64, _ count: Int64) -> Bool
    private let mailbox: Mailbox<Message>
    private let poll: Int32
    private let load = Atomic<Int>(0)
    /// By their sockets.
    private var bodies: [Int32: Body] = [:]
    private var ready: [Body] = []

    /// - Parameters:
    ///   - readers: started threads that may wait for the disk.
    ///   - isCached: tells whether a part of a file is in memory.
    /// - Throws: `IOError` where there is no descriptor left.
    init(
        readers: NIOThreadPool,
        isCached: @escaping @Sendable (OpenFile, _ offset: Int64, _ count: Int64) -> Bool = {
            $0.isCached(from: $1, count: $2)
        }
    ) throws(IOError) {
        self.readers = readers
        self.isCached = isCached
        mailbox = try Mailbox()
        poll = clinux_poll_create()
        guard poll >= 0, clinux_poll_add(poll, mailbox.event, clinux_readable) == 0 else {
            let error = IOError(errnoCode: errno, reason: "epoll")
            if poll >= 0 { close(poll) }
            throw error
        }
    }

    deinit { close(poll) }

    /// Bodies that it has, or will have.
    var count: Int { load.load(ordering: .relaxed) }

    /// Sends on a thread of its own until `stop`; `running` is told when that has ended.
    func start(in running: DispatchGroup) {
        DispatchQueue(label: "bodies", qos: .userInitiated).async(group: running) { self.run() }
    }

    /// Has it end what is under way, and send nothing more. From any thread, any number of times.
    func stop() { mailbox.close() }

    /// Sends a body. From any thread.
    /// - Returns: false after `stop`: its socket stays its sender's, and it will not be heard of.
    func send(_ body: Body) -> Bool {
        load.add(1, ordering: .relaxed)
        if mailbox.put(.send(body)) { return true }
        load.subtract(1, ordering: .relaxed)
        return false
    }

    /// Ends a body that nobody waits for, if it has not ended. From any thread.
    func cancel(_ body: Body) { _ = mailbox.put(.cancel(body)) }

    private func run() {
        // A client that is gone is told by sendfile's result.
        var pipeSignal = sigset_t()
        sigemptyset(&pipeSignal)
        sigaddset(&pipeSignal, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipeSignal, nil)
        var conditions = [clinux_condition](repeating: clinux_condition(), count: 256)
        while true {
            let count = clinux_poll_wait(poll, &conditions, Int32(conditions.count), ready.isEmpty ? -1 : 0)
            guard count >= 0 || errno == EINTR else { return endAll() }
            for index in 0..<Int(max(0, count)) {
                let descriptor = conditions[index].descriptor
                if descriptor == mailbox.event {
                    guard heedMessages() else { return endAll() }
                } else if let body = bodies[descriptor] {
                    makeReady(body)
                }
            }
            giveTurns()
        }
    }

    /// - Returns: false where that was the last.
    private func heedMessages() -> Bool {
        let (messages, isClosed) = mailbox.takeAll()
        for message in messages {
            switch message {
            case .send(let body):
                bodies[body.socket] = body
                makeReady(body)
            case .cancel(let body): if isHere(body) { end(body, "its connection has ended") }
            case .warmed(let body): if isHere(body) { makeReady(body) }
            }
        }
        return !isClosed
    }

    private func isHere(_ body: Body) -> Bool { bodies[body.socket] === body }

    private func makeReady(_ body: Body) {
        guard !body.isReady else { return }
        body.isReady = true
        ready.append(body)
    }

    /// One for each that is ready, in the order of their places in the file: those that send the same part of it one after another
    /// find it in the processor's caches.
    private func giveTurns() {
        let turns = ready.sorted { $0.position < $1.position }
        ready.removeAll(keepingCapacity: true)
        for body in turns where isHere(body) {
            body.isReady = false
            take(body)
        }
    }

    private func take(_ body: Body) {
        let turnEnd = min(body.position + Self.turn, body.end)
        guard body.lookedAt >= turnEnd || isCached(body.file, body.position, turnEnd - body.position) else {
            return warm(body, to: turnEnd)
        }
        body.lookedAt = max(body.lookedAt, turnEnd)
        while body.position < turnEnd {
            var offset = off_t(body.position)
            let wanted = Int(turnEnd - body.position)
            let count = sendfile(body.socket, body.file.descriptor, &offset, wanted)
            guard count != 0 else { return end(body, "the file is shorter than it was") }
            if count > 0 { body.position += Int64(count) }
            // Less than it could is all that the socket has room for, most likely: the kernel is asked, which costs less than to try.
            if (0..<wanted).contains(count) || (count < 0 && errno == EAGAIN) { return waitForRoom(body) }
            guard count > 0 || errno == EINTR else { return end(body, String(cString: strerror(errno))) }
        }
        if body.position == body.end { end(body, nil) } else { makeReady(body) }
    }

    /// Has it told once when the socket has room, which may be at once.
    private func waitForRoom(_ body: Body) {
        guard body.position < body.end else { return end(body, nil) }
        let conditions = clinux_writable | clinux_one_shot
        let result =
            body.isWatched
            ? clinux_poll_change(poll, body.socket, conditions) : clinux_poll_add(poll, body.socket, conditions)
        guard result == 0 else { return end(body, String(cString: strerror(errno))) }
        body.isWatched = true
    }

    /// What it sends next is read by a thread that may wait: sendfile would have everybody wait.
    private func warm(_ body: Body, to turnEnd: Int64) {
        let (file, position, mailbox) = (body.file, body.position, mailbox)
        body.lookedAt = turnEnd
        readers.submit { state in
            // Else it is this thread, and the server ends.
            if state == .active { file.warm(from: position, count: turnEnd - position) }
            _ = mailbox.put(.warmed(body))
        }
    }

    /// `reason`: why it ended early; nil: all is sent.
    private func end(_ body: Body, _ reason: String?) {
        bodies[body.socket] = nil
        load.subtract(1, ordering: .relaxed)
        // The connection stays open, and would stay in the set.
        if body.isWatched { _ = clinux_poll_remove(poll, body.socket) }
        close(body.socket)
        body.hasEnded(reason.map { .failure(Body.Interrupted(sent: body.sent, reason: $0)) } ?? .success(()))
    }

    private func endAll() {
        mailbox.close()
        _ = heedMessages()
        ready = []
        for body in Array(bodies.values) { end(body, "the server ends") }
    }
}
