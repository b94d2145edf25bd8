internal import CLinux
internal import Glibc

/// A transfer's socket, content and machine: carries out what the machine says.
final class TFTPTransfer {
    let descriptor: Int32
    let remote: DatagramEndpoint
    let path: String
    /// Of all of the loop's: no two have the same.
    let number: UInt64
    let started: Int64
    private(set) var machine: TransferMachine
    let answer: TFTPAnswer
    private var content: TFTPContent { answer.content }
    private var sender: BlockSender
    private var waiting: ClosedRange<Int64>?
    private let coldReads: ColdReads
    /// Blocks that are sent when their bytes are in memory.
    private var cold: ClosedRange<Int64>?
    /// Bytes of the file that were in memory when they were looked at last.
    private var warm: Range<Int64> = 0..<0
    /// A request that came to this socket: where all transfers have the listener's port, its client asks anew.
    private var request: [UInt8]?
    /// Whether the loop watches for room.
    var isWatchedForRoom = false
    /// Of `ReadyTransfers`: since when its client waits to be read, and whether it is in the queue.
    var readySince: Int64?
    var isQueued = false
    /// There may be more that came and was not read.
    private(set) var hasMore = false

    /// Takes a socket that is connected to the client, and closes it at its end.
    init(
        descriptor: Int32, request: ReadRequest, path: String, answer: TFTPAnswer, remote: DatagramEndpoint,
        number: UInt64, coldReads: ColdReads, now: Int64
    ) {
        self.number = number
        self.coldReads = coldReads
        _ = clinux_allow_fragments(descriptor, remote.family)
        var sendBuffer: Int32 = 1 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &sendBuffer, socklen_t(MemoryLayout<Int32>.size))
        // Blocks must not be fragmented on the way: IP and UDP headers and our four bytes stay out of the MTU.
        let mtu = Int(clinux_path_mtu(descriptor, remote.family))
        let overhead = remote.family == AF_INET6 ? 52 : 32
        let limit = min(mtu > overhead + 8 ? mtu - overhead : 1468, answer.blockSizeLimit ?? .max)
        self.descriptor = descriptor
        self.remote = remote
        self.path = path
        self.answer = answer
        started = now
        let parameters = TransferParameters(
            options: request.options, fileSize: answer.content.size, limits: .init(blockSize: limit))
        sender = BlockSender(descriptor: descriptor, content: answer.content, blockSize: parameters.blockSize)
        machine = TransferMachine(fileSize: answer.content.size, parameters: parameters, now: now)
    }

    deinit { close(descriptor) }

    /// - Returns: how the transfer ended, when it did.
    func start(buffer: UnsafeMutableRawBufferPointer, now: Int64) -> TransferOutcome? {
        perform(machine.start(now: now), buffer)
    }

    func timerFired(buffer: UnsafeMutableRawBufferPointer, now: Int64) -> TransferOutcome? {
        sender.stopSplicing()
        return perform(machine.timerFired(now: now), buffer)
    }

    /// Reads one packet of what has come. The loop comes again while there may be more, after the others had their turn. In lock-step
    /// on a short way there is no second one to look for after one that was waited for: what came twice is known as that whenever it
    /// is read.
    func readable(buffer: UnsafeMutableRawBufferPointer, now: Int64) -> TransferOutcome? {
        let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
        hasMore = count >= 0
        guard count >= 0 else {
            // The client's port is closed: it has gone without a word.
            return errno == ECONNREFUSED ? .aborted(code: 0, message: "the client's port is closed") : nil
        }
        guard let packet = try? TFTPPacket(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return nil }
        if case .read = packet { request = Array(buffer[..<count]) }
        let action = machine.received(packet, now: now)
        if action != nil, machine.ignoresRepetition { hasMore = false }
        return perform(action, buffer)
    }

    func report(_ outcome: TransferOutcome, now: Int64) -> TransferReport {
        TransferReport(
            client: remote.host, path: path, outcome: outcome,
            bytes: outcome == .completed ? content.size : machine.acknowledgedBytes(fileSize: content.size),
            milliseconds: now - started, blockSize: machine.parameters.blockSize,
            windowSize: machine.parameters.windowSize, repeatedBlocks: machine.repeatedBlocks)
    }

    private func perform(
        _ action: TransferMachine.Action?, _ buffer: UnsafeMutableRawBufferPointer
    ) -> TransferOutcome? {
        switch action {
        case .sendOptionAcknowledgement: send(TFTPPacket.optionAcknowledgement(machine.parameters.accepted))
        case .sendBlocks(let blocks): return send(blocks, buffer)
        case .end(let outcome): return outcome
        case nil: break
        }
        return nil
    }

    private func send(_ blocks: ClosedRange<Int64>, _ buffer: UnsafeMutableRawBufferPointer) -> TransferOutcome? {
        // What waits for room comes first, and these after it.
        if let waiting, waiting.lowerBound < blocks.lowerBound { return nil }
        if let cold {
            self.cold = min(cold.lowerBound, blocks.lowerBound)...max(cold.upperBound, blocks.upperBound)
            return nil
        }
        guard isInMemory(blocks) else {
            (cold, waiting) = (blocks, nil)
            return nil
        }
        switch sender.send(blocks, buffer: buffer) {
        case .sent: waiting = nil
        case .full(let next): waiting = next...blocks.upperBound
        case .unreadable:
            let message = "the file cannot be read"
            send(TFTPPacket.error(.notDefined, message))
            return .aborted(code: 0, message: message)
        }
        return nil
    }

    /// Where they are not, they are being read from now on, with what follows them: `warmed` is called then.
    private func isInMemory(_ blocks: ClosedRange<Int64>) -> Bool {
        guard case .file(let file, let offset, let size) = content else { return true }
        let blockSize = Int64(machine.parameters.blockSize)
        let start = min(size, (blocks.lowerBound - 1) * blockSize)
        let end = min(size, blocks.upperBound * blockSize)
        guard !(warm.lowerBound <= start && end <= warm.upperBound) else { return true }
        warm = start..<max(end, min(size, start + ColdReads.regionSize))
        let count = Int64(warm.count)
        if coldReads.isCached(file, from: offset + start, count: count) { return true }
        coldReads.warm(
            file, from: offset + start, count: count, for: TransferReference(self))
        return false
    }

    /// What is being read for this is in memory, or cannot be read.
    func warmed(buffer: UnsafeMutableRawBufferPointer) -> TransferOutcome? {
        guard let blocks = cold else { return nil }
        cold = nil
        return send(blocks, buffer)
    }

    /// The socket has room again.
    func writable(buffer: UnsafeMutableRawBufferPointer) -> TransferOutcome? {
        guard let waiting else { return nil }
        return send(waiting, buffer)
    }

    /// The last request that came to this socket since the last call.
    func takeRequest() -> [UInt8]? {
        defer { request = nil }
        return request
    }

    /// Blocks are left that the socket had no room for.
    var wantsRoom: Bool { waiting != nil }

    func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
}
