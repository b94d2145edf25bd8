internal import CLinux
internal import Dispatch
internal import Glibc
internal import NIOCore

/// Takes the connections of one listening socket, answers requests that are known by their bytes, and passes a connection on with
/// the first that is not, or when it is silent: to the event loops, which can do everything else, and may give one back that asks
/// what is known again. For a machine that asks again whether it is its turn, a channel costs ten times what its answer does.
///
/// Nothing is parsed here, and nothing waits: what a socket does not take at once goes with the connection. One thread, which is
/// faster than several: it finds more to do each time it wakes.
final class ConnectionFront: @unchecked Sendable {
    // @unchecked: after `init` only the thread inside `run` touches the mutable state.

    /// What a known request is answered with.
    struct Answer {
        let bytes: [UInt8]
        /// Another request may follow it.
        let keepsAlive: Bool
    }

    /// A connection that somebody else goes on with, who owns its descriptor from then on.
    struct Passed: Sendable {
        let descriptor: Int32
        let place: ConnectionLimiter.Place
        /// Nothing was asked on it before.
        let isNew: Bool
        /// The rest of an answer that the client did not take yet; empty: none.
        let unsent: ByteBuffer
        /// The connection ends with `unsent`.
        let ends: Bool
        /// What came and was not looked at.
        let received: ByteBuffer
    }

    private final class Connection {
        let descriptor: Int32
        let place: ConnectionLimiter.Place
        var isWatched = false
        var isNew: Bool
        /// Something came since the last look at who is silent.
        var isAwake = true

        init(_ descriptor: Int32, _ place: ConnectionLimiter.Place, isNew: Bool) {
            (self.descriptor, self.place, self.isNew) = (descriptor, place, isNew)
        }
    }

    /// A connection that others give back.
    private struct GivenBack: Sendable {
        let descriptor: Int32
        let place: ConnectionLimiter.Place
    }

    /// Requests are shorter; of a longer one the rest stays in the socket.
    private static let readSize = 2048
    /// Connections that are taken before those that are there are looked at.
    private static let acceptBatch = 32

    private let listener: Int32
    /// For the thread inside `run`; closed: it is to stop.
    private let mailbox: Mailbox<GivenBack>
    private let poll: Int32
    private let limiter: ConnectionLimiter
    private let silence: Int64
    private let answer: @Sendable (ByteBuffer, ClientAddress) -> Answer?
    private let pass: @Sendable (Passed, ConnectionFront) -> Void
    private var connections: [Int32: Connection] = [:]
    private var isListening = true
    private var nextLook: Int64 = 0
    private var received = ByteBuffer()

    /// - Parameters:
    ///   - socket: listens, and does not block; it is not closed with this.
    ///   - limiter: says who may connect.
    ///   - silence: milliseconds after which a silent connection is passed on: at most twice as many.
    ///   - answer: gives the answer to what came, all of it, where it is known, and notes that it was given.
    ///   - pass: takes a connection over from this front.
    /// - Throws: `IOError` where there is no descriptor left.
    init(
        _ socket: Int32, limiter: ConnectionLimiter, silence: Int64 = 1000,
        answer: @escaping @Sendable (ByteBuffer, ClientAddress) -> Answer?,
        pass: @escaping @Sendable (Passed, ConnectionFront) -> Void
    ) throws(IOError) {
        mailbox = try Mailbox()
        self.limiter = limiter
        self.silence = silence
        self.answer = answer
        self.pass = pass
        // Its own: the one of its maker may be closed, and the number belong to something else, while this thread still takes from it.
        listener = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        poll = clinux_poll_create()
        guard listener >= 0, poll >= 0, watch(mailbox.event), watch(listener) else {
            throw IOError(errnoCode: errno, reason: "epoll")
        }
    }

    deinit { for descriptor in [listener, poll] where descriptor >= 0 { close(descriptor) } }

    /// Takes connections on a thread of its own until `stop`.
    func start() { DispatchQueue(label: "http", qos: .userInitiated).async { self.run() } }

    /// Ends the listening, whoever else has the socket, and the connections that are here: between two answers. From any thread, any
    /// number of times.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        mailbox.close()
    }

    /// Goes on with a connection that was passed on. From any thread.
    /// - Parameters:
    ///   - descriptor: the connection's, which belongs to this from then on; nothing that came is anywhere but in it.
    ///   - place: its place among the limited.
    /// - Returns: false after `stop`: it stays whose it is.
    func takeBack(_ descriptor: Int32, _ place: ConnectionLimiter.Place) -> Bool {
        mailbox.put(GivenBack(descriptor: descriptor, place: place))
    }

    private func watch(_ descriptor: Int32) -> Bool { clinux_poll_add(poll, descriptor, clinux_readable) == 0 }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    private func run() {
        var conditions = [clinux_condition](repeating: clinux_condition(), count: 256)
        while true {
            let isQuiet = connections.isEmpty && isListening
            let count = clinux_poll_wait(poll, &conditions, Int32(conditions.count), isQuiet ? -1 : Int32(silence))
            if count < 0, errno != EINTR { return endAll() }
            for index in 0..<Int(max(0, count)) {
                let descriptor = conditions[index].descriptor
                if descriptor == mailbox.event {
                    guard heedMessages() else { return endAll() }
                } else if descriptor == listener {
                    accept()
                } else if let connection = connections[descriptor] {
                    converse(connection)
                }
            }
            let now = Self.now()
            guard now >= nextLook else { continue }
            nextLook = now + silence
            passSilent()
            if !isListening { isListening = watch(listener) }
        }
    }

    /// Does what other threads said.
    /// - Returns: false where that is to stop.
    private func heedMessages() -> Bool {
        let (givenBack, isStopped) = mailbox.takeAll()
        for given in givenBack {
            let connection = Connection(given.descriptor, given.place, isNew: false)
            connections[connection.descriptor] = connection
            // The next request may have come meanwhile.
            if !isStopped { converse(connection) }
        }
        return !isStopped
    }

    private func accept() {
        for _ in 0..<Self.acceptBatch {
            var address = sockaddr_storage()
            let descriptor = clinux_accept(listener, &address)
            guard descriptor >= 0 else {
                if [ECONNABORTED, EINTR].contains(errno) { continue }
                // Where descriptors or memory are all taken, it would be called again at once, for nothing.
                if errno != EAGAIN, clinux_poll_remove(poll, listener) == 0 { isListening = false }
                return
            }
            guard let place = limiter.admit(ClientAddress(address)) else {
                close(descriptor)
                continue
            }
            let connection = Connection(descriptor, place, isNew: true)
            connections[descriptor] = connection
            // Most ask with their first word: it may be here.
            converse(connection)
        }
    }

    /// Answers one request where one is there.
    private func converse(_ connection: Connection) {
        received.clear(minimumCapacity: Self.readSize)
        let count = received.withUnsafeMutableWritableBytes { recv(connection.descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else {
            guard count < 0, [EAGAIN, EINTR].contains(errno) else { return end(connection) }
            return watch(connection)
        }
        received.moveWriterIndex(to: count)
        connection.isAwake = true
        guard let answer = answer(received, connection.place.client) else {
            // Its own bytes: these are written to again.
            return pass(connection, received: ByteBuffer(bytes: received.readableBytesView))
        }
        connection.isNew = false
        let sent = answer.bytes.withUnsafeBytes {
            send(connection.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if sent == answer.bytes.count { return answer.keepsAlive ? watch(connection) : end(connection) }
        guard sent >= 0 || errno == EAGAIN else { return end(connection) }
        pass(connection, unsent: ByteBuffer(bytes: answer.bytes.dropFirst(max(0, sent))), ends: !answer.keepsAlive)
    }

    private func watch(_ connection: Connection) {
        guard !connection.isWatched else { return }
        connection.isWatched = watch(connection.descriptor)
        if !connection.isWatched { end(connection) }
    }

    private func end(_ connection: Connection) {
        connections[connection.descriptor] = nil
        close(connection.descriptor)
    }

    private func endAll() {
        mailbox.close()
        _ = heedMessages()
        for connection in Array(connections.values) { end(connection) }
    }

    private func passSilent() {
        for connection in Array(connections.values) {
            // What came while this thread had no turn is no silence.
            if !connection.isAwake { converse(connection) }
            guard connections[connection.descriptor] === connection else { continue }
            if connection.isAwake { connection.isAwake = false } else { pass(connection) }
        }
    }

    private func pass(
        _ connection: Connection, unsent: ByteBuffer = ByteBuffer(), ends: Bool = false,
        received: ByteBuffer = ByteBuffer()
    ) {
        connections[connection.descriptor] = nil
        if connection.isWatched { _ = clinux_poll_remove(poll, connection.descriptor) }
        pass(
            Passed(
                descriptor: connection.descriptor, place: connection.place, isNew: connection.isNew, unsent: unsent,
                ends: ends, received: received), self)
    }
}
