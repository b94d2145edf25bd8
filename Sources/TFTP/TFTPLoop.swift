internal import CLinux
internal import Glibc

/// The epoll loop: requests make transfers, packets and time drive them. Everything in it runs on one thread.
final class TFTPLoop: @unchecked Sendable {
    // @unchecked: after `init` only the thread inside `run` touches the mutable state.
    private var listening: [ListeningSocket]
    private let drainLimit: Int64
    private let stopEvent: Int32
    private let service: any TFTPService
    private let poll: TransferPoll
    private let coldReads: ColdReads
    private let ports: TransferPorts
    private var sockets: TransferSockets
    private var transfers = TransferTable()
    private var ready = ReadyTransfers()
    /// Where each was asked for, for requests that come to its own socket.
    private var origins: [Int32: (local: DatagramEndpoint, listener: ListeningSocket)] = [:]
    private let transferLimit: Int
    private var unanswered: UnansweredTransfers
    private var backlog = RequestBacklog<Request>()
    /// Transfers that gave way since `placesRanOut` was called last, and when it may be called again.
    private var gaveWay = 0
    private var nextWord = Int64.min
    private var nextNumber: UInt64 = 0
    private var byClient: [DatagramEndpoint: Int32] = [:]
    private var countByHost: [String: Int] = [:]
    /// Set by `stop`: requests are no longer taken, and the loop ends with its last transfer, or then.
    private var drainEnd: Int64?

    /// Milliseconds between two looks at the transfers' timers.
    private static let timerInterval: Int64 = 10
    private static let pauseOfWords: Int64 = 10_000
    /// Requests that are taken from a socket in a row: far more than are answered, or the kernel's queue is full and drops whom it
    /// likes.
    private static let requestBatch = 1024
    /// Requests that are answered before transfers under way are looked at again: some milliseconds. Of strangers only so many, for
    /// a flood is theirs.
    private static let requestTurn = 64
    private static let strangersTurn = 16

    init(
        listening: [ListeningSocket], stopEvent: Int32, service: any TFTPService, ports: TransferPorts,
        drainLimit: Int64, transferLimit: Int, disk: ColdReads.Disk
    ) throws(TFTPError) {
        coldReads = try ColdReads(disk)
        self.transferLimit = transferLimit
        unanswered = UnansweredTransfers(limit: transferLimit)
        self.ports = ports
        sockets = TransferSockets(ports)
        self.drainLimit = drainLimit
        self.listening = listening
        self.stopEvent = stopEvent
        self.service = service
        poll = try TransferPoll()
        for descriptor in listening.map(\.descriptor) + [stopEvent, coldReads.event] {
            guard poll.watch(descriptor) else { throw .system("epoll_ctl") }
        }
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Serves until the stop event; when it returns, every socket is closed.
    func run() {
        serve()
        transfers = TransferTable()
        listening = []
    }

    private func serve() {
        // The largest datagram, and room for a block with its header.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: BlockSender.bufferSize, alignment: 16)
        defer { buffer.deallocate() }
        var nextTimers = Self.now() + Self.timerInterval
        while !isDrained {
            let idle: Int32 = transfers.isEmpty ? -1 : Int32(max(0, nextTimers - Self.now()))
            guard let count = poll.wait(backlog.isEmpty && ready.isEmpty ? idle : 0) else { return }
            let now = Self.now()
            for number in 0..<count { take(poll[number], buffer, now) }
            var again: [Request] = []
            for _ in 0..<ReadyTransfers.turn {
                guard let transfer = ready.popFirst({ transfer($0) }) else { break }
                if let request = answer(transfer, buffer, now) { again.append(request) }
            }
            if now >= nextTimers {
                nextTimers = now + Self.timerInterval
                again += answerLate(buffer, now)
            }
            // Not before the transfers that ended have closed their sockets.
            for request in again {
                receive(request.bytes, from: request.remote, at: request.origin.local, request.origin.listener, buffer)
            }
            answerBacklog(buffer)
        }
    }

    /// What a socket or an event has to say; transfers wait for their turn with what they have come for.
    private func take(_ condition: clinux_condition, _ buffer: UnsafeMutableRawBufferPointer, _ now: Int64) {
        let descriptor = condition.descriptor
        if descriptor == stopEvent {
            drain()
        } else if descriptor == coldReads.event {
            for reader in coldReads.takeFinished() {
                guard let transfer = transfer(reader) else { continue }
                settle(transfer, transfer.warmed(buffer: buffer), now)
            }
        } else if let transfer = transfers[descriptor] {
            if condition.conditions & clinux_writable != 0 {
                settle(transfer, transfer.writable(buffer: buffer), now)
                guard condition.conditions & ~clinux_writable != 0, transfers[descriptor] === transfer else { return }
            }
            ready.append(transfer, now: now)
        } else if let socket = listening.first(where: { $0.descriptor == descriptor }) {
            receiveRequests(socket, buffer)
        }
    }

    /// Answers one packet.
    /// - Returns: a request that came to the transfer's own socket.
    private func answer(
        _ transfer: TFTPTransfer, _ buffer: UnsafeMutableRawBufferPointer, _ now: Int64
    ) -> Request? {
        let origin = ports == .single ? origins[transfer.descriptor] : nil
        let outcome = transfer.readable(buffer: buffer, now: now)
        settle(transfer, outcome, now)
        if outcome == nil, transfer.hasMore { ready.append(transfer, now: now) }
        guard let origin, let bytes = transfer.takeRequest() else { return nil }
        return Request(bytes: bytes, remote: transfer.remote, origin: origin)
    }

    /// Answers those that have waited too long for their turn, and repeats what has waited too long for an answer: where one has come,
    /// it is read before.
    private func answerLate(_ buffer: UnsafeMutableRawBufferPointer, _ now: Int64) -> [Request] {
        var again: [Request] = []
        for transfer in transfers.all {
            let isDue = transfer.machine.deadline <= now
            guard ReadyTransfers.takeOverdue(transfer, now: now) || isDue else { continue }
            if let request = answer(transfer, buffer, now) { again.append(request) }
            guard transfers[transfer.descriptor] === transfer else { continue }
            if transfer.machine.deadline <= now { settle(transfer, transfer.timerFired(buffer: buffer, now: now), now) }
        }
        return again
    }

    /// What came, from whom, and where it was sent to.
    private struct Request {
        let bytes: [UInt8]
        let remote: DatagramEndpoint
        let origin: (local: DatagramEndpoint, listener: ListeningSocket)
    }

    private var isDrained: Bool {
        guard let drainEnd else { return false }
        return transfers.isEmpty || Self.now() >= drainEnd
    }

    /// Takes no more requests; what is under way goes on for a while.
    private func drain() {
        for descriptor in listening.map(\.descriptor) + [stopEvent] {
            poll.forget(descriptor)
        }
        backlog = RequestBacklog()
        drainEnd = Self.now() + drainLimit
    }

    private func settle(_ transfer: TFTPTransfer, _ outcome: TransferOutcome?, _ now: Int64) {
        guard let outcome else {
            if transfer.wantsRoom != transfer.isWatchedForRoom { poll.watchForRoom(transfer) }
            return
        }
        transfers[transfer.descriptor] = nil
        origins[transfer.descriptor] = nil
        byClient[transfer.remote] = nil
        if transfer.machine.hasAnswered { backlog.hasAnswered(transfer.remote) }
        let host = transfer.remote.host
        let left = countByHost[host, default: 1] - 1
        countByHost[host] = left == 0 ? nil : left
        service.transferEnded(transfer.report(outcome, now: now), context: transfer.answer.context)
    }

    private func receiveRequests(_ socket: ListeningSocket, _ buffer: UnsafeMutableRawBufferPointer) {
        lazy var isExpected = service.expectation()
        var answered = 0
        for _ in 0..<Self.requestBatch {
            var addresses = clinux_datagram_addresses()
            let count = clinux_receive(socket.descriptor, buffer.baseAddress, buffer.count, &addresses)
            guard count >= 0 else { return }
            let remote = DatagramEndpoint(remoteOf: addresses)
            let local = addresses.local_length > 0 ? DatagramEndpoint(localOf: addresses) : nil
            // A broadcast or multicast request has no address that an answer could come from.
            let request = Request(
                bytes: Array(buffer[..<count]), remote: remote,
                origin: (local ?? socket.endpoint.with(port: 0), socket))
            // In order and at once as long as there are no more than can be: a request that is repeated meets its transfer.
            if backlog.isEmpty, answered < Self.requestTurn {
                answered += 1
                receive(request.bytes, from: remote, at: request.origin.local, socket, buffer)
            } else {
                backlog.append(request, of: remote, isExpected: isExpected)
            }
        }
    }

    private func answerBacklog(_ buffer: UnsafeMutableRawBufferPointer) {
        var strangers = 0
        for _ in 0..<Self.requestTurn {
            guard strangers < Self.strangersTurn, let (request, rank) = backlog.popFirst() else { return }
            if rank == .stranger { strangers += 1 }
            receive(request.bytes, from: request.remote, at: request.origin.local, request.origin.listener, buffer)
        }
    }

    private func receive(
        _ bytes: [UInt8], from remote: DatagramEndpoint, at local: DatagramEndpoint, _ socket: ListeningSocket,
        _ buffer: UnsafeMutableRawBufferPointer
    ) {
        func refuse(_ code: TFTPErrorCode, _ reason: String, name: String = "") {
            let packet = TFTPPacket.error(code, reason)
            // From the address that was asked: a client that checks the sender drops an answer from another.
            _ = remote.withSocketAddress { remoteAddress in
                local.withSocketAddress { localAddress in
                    clinux_send_from(
                        socket.descriptor, packet, packet.count, remoteAddress, remote.length, localAddress)
                }
            }
            let shown = String(name.unicodeScalars.prefix(200).map { $0.value < 32 ? "?" : Character($0) })
            service.requestRefused(RequestRefusal(client: remote.host, name: shown, code: code, reason: reason))
        }
        let request: ReadRequest
        do {
            switch try TFTPPacket(bytes) {
            case .read(let read): request = read
            case .write: return refuse(.accessViolation, "this server is read-only")
            // Answers to a transfer belong to its own port; an ERROR is never answered.
            case .acknowledgement: return refuse(.unknownTransferID, "no such transfer")
            case .error: return
            }
        } catch {
            return refuse(.illegalOperation, "malformed request")
        }
        guard request.mode == "octet" else {
            return refuse(.illegalOperation, "only octet mode is served", name: request.fileName)
        }
        guard let path = TFTPPath.normalized(request.fileName) else {
            return refuse(.accessViolation, "this name is not allowed", name: request.fileName)
        }
        if let other = byClient[remote].flatMap({ transfers[$0] }) {
            // The same request again: its transfer is under way, and its timer repeats what was lost.
            if other.path == path { return }
            settle(other, .aborted(code: 0, message: "the client asked for another file"), Self.now())
        }
        let host = remote.host
        guard countByHost[host, default: 0] < TFTPServer.maximumTransfersPerClient, makePlace() else {
            return refuse(.notDefined, "too many transfers, try again", name: path)
        }
        let answer: TFTPAnswer
        switch service.reply(path: path, client: host) {
        case .file(let file): answer = file
        case .notFound: return refuse(.fileNotFound, "file not found", name: path)
        case .notYet: return
        }
        let now = Self.now()
        guard let descriptor = sockets.open(to: remote, from: local, listening: socket.endpoint.port) else {
            return refuse(.notDefined, "the server is out of resources, try again", name: path)
        }
        let transfer = TFTPTransfer(
            descriptor: descriptor, request: request, path: path, answer: answer, remote: remote,
            number: nextNumber, coldReads: coldReads, now: now)
        nextNumber += 1
        guard poll.watch(transfer) else {
            return refuse(.notDefined, "the server is out of resources, try again", name: path)
        }
        transfers[transfer.descriptor] = transfer
        unanswered.append(transfer) { self.transfer($0)?.machine.hasAnswered == false }
        byClient[remote] = transfer.descriptor
        countByHost[host, default: 0] += 1
        service.transferBegan(client: host)
        if ports == .single { origins[transfer.descriptor] = (local, socket) }
        let strangers = ports == .single ? takeStrangers(transfer, buffer) : []
        settle(transfer, transfer.start(buffer: buffer, now: now), now)
        for stranger in strangers { receive(stranger.bytes, from: stranger.remote, at: local, socket, buffer) }
    }

    /// Whether there is room for one more transfer. Where there is none, the one that has waited longest for its client's first
    /// word gives way: a flood of requests from forged addresses must not keep those out who answer.
    private func makePlace() -> Bool {
        guard transfers.count >= transferLimit else { return true }
        while let oldest = unanswered.popFirst() {
            guard let transfer = transfer(oldest), !transfer.machine.hasAnswered else {
                continue
            }
            let now = Self.now()
            settle(transfer, .gaveWay, now)
            gaveWay += 1
            if now >= nextWord {
                service.placesRanOut(gaveWay: gaveWay)
                (gaveWay, nextWord) = (0, now + Self.pauseOfWords)
            }
            return true
        }
        return false
    }

    /// nil where it has ended, whoever has its socket's number now.
    private func transfer(_ reference: TransferReference) -> TFTPTransfer? {
        transfers[reference.descriptor].flatMap { $0.number == reference.number ? $0 : nil }
    }

    /// On one port with the listener, a socket is everybody's between its binding and its connecting: what came then is a
    /// request of somebody else, which must not be lost.
    private func takeStrangers(
        _ transfer: TFTPTransfer, _ buffer: UnsafeMutableRawBufferPointer
    ) -> [(bytes: [UInt8], remote: DatagramEndpoint)] {
        var found: [(bytes: [UInt8], remote: DatagramEndpoint)] = []
        while found.count < 64 {
            var addresses = clinux_datagram_addresses()
            let count = clinux_receive(transfer.descriptor, buffer.baseAddress, buffer.count, &addresses)
            guard count >= 0 else { break }
            let remote = DatagramEndpoint(remoteOf: addresses)
            // The client itself has nothing to say yet but its request, which is being answered.
            if remote != transfer.remote { found.append((Array(buffer[..<count]), remote)) }
        }
        return found
    }
}
