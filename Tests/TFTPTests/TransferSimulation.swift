import TFTP

/// What a simulated network does to packets; times in milliseconds.
struct NetworkConditions {
    var loss = 0.0
    var duplication = 0.0
    /// One way. A range reorders.
    var delay: ClosedRange<Int64> = 1...1
    /// Every packet to the server arrives once more, so much later.
    var echo: Int64?
    /// The numbers (from 0) of DATA packets that are lost whatever `loss` says.
    var lostData: Set<Int> = []
}

/// One client and the server's transfer machine over a simulated network, in simulated time. Packets are real bytes.
struct TransferSimulation {
    struct Result {
        var client: ReferenceClient
        var outcomes: [TransferOutcome] = []
        /// DATA packets that the server sent.
        var dataPackets = 0
        var blockCount: Int64 = 0
        var repeatedBlocks: Int64 = 0
        /// When the client had everything; milliseconds from the start.
        var finishedAt: Int64?
        var endedAt: Int64 = 0
    }

    private struct Session {
        var machine: TransferMachine
        var isAlive = true
    }

    private let file: [UInt8]
    private let conditions: NetworkConditions
    private let limits: TransferParameters.Limits
    private var generator: SeededGenerator
    private var queue = PacketQueue()
    private var sessions: [Session] = []
    private var result: Result
    private var now: Int64 = 0

    init(
        file: [UInt8], client: ReferenceClient, conditions: NetworkConditions, seed: UInt64 = 0,
        limits: TransferParameters.Limits = .init(blockSize: 1468)
    ) {
        self.file = file
        self.conditions = conditions
        self.limits = limits
        generator = SeededGenerator(seed: seed)
        result = Result(client: client)
    }

    /// Runs until nothing is under way any more, or an hour has passed in the simulation.
    static func run(
        file: [UInt8], client: ReferenceClient, conditions: NetworkConditions = .init(), seed: UInt64 = 0,
        limits: TransferParameters.Limits = .init(blockSize: 1468)
    ) -> Result {
        var simulation = TransferSimulation(
            file: file, client: client, conditions: conditions, seed: seed, limits: limits)
        simulation.run()
        return simulation.result
    }

    private mutating func run() {
        send(result.client.start())
        while now < 3_600_000 {
            let arrival = queue.nextTime ?? .max
            var next = arrival
            if !result.client.hasEnded { next = min(next, result.client.deadline) }
            if let session = sessions.last, session.isAlive { next = min(next, session.machine.deadline) }
            guard next < .max else { break }
            now = max(now, next)
            if arrival <= now, let packet = queue.removeFirst() { deliver(packet) } else { fireTimers() }
            if result.finishedAt == nil, result.client.state == .finished { result.finishedAt = now }
        }
        result.endedAt = now
        result.repeatedBlocks = sessions.last?.machine.repeatedBlocks ?? 0
        result.blockCount = sessions.last?.machine.blockCount ?? 0
    }

    private mutating func fireTimers() {
        if let packet = result.client.timerFired(now: now) { send(packet) }
        guard let last = sessions.indices.last, sessions[last].isAlive else { return }
        perform(sessions[last].machine.timerFired(now: now), last)
    }

    private mutating func deliver(_ packet: PacketQueue.Packet) {
        guard packet.isForServer else {
            let answer = result.client.receive(packet.bytes, from: packet.session ?? -1, now: now)
            if let answer { send(answer) }
            return
        }
        guard let parsed = try? TFTPPacket(packet.bytes) else { return }
        if let session = packet.session {
            guard sessions[session].isAlive else { return }
            perform(sessions[session].machine.received(parsed, now: now), session)
        } else if case .read(let request) = parsed, sessions.last?.isAlive != true {
            // As the server's loop does: a repeated request is left to the transfer that is under way.
            let parameters = TransferParameters(options: request.options, fileSize: Int64(file.count), limits: limits)
            sessions.append(
                Session(machine: TransferMachine(fileSize: Int64(file.count), parameters: parameters, now: now)))
            perform(sessions[sessions.count - 1].machine.start(now: now), sessions.count - 1)
        }
    }

    private mutating func perform(_ action: TransferMachine.Action?, _ session: Int) {
        let parameters = sessions[session].machine.parameters
        if let action {
            switch action {
            case .sendOptionAcknowledgement:
                toClient(TFTPPacket.optionAcknowledgement(parameters.accepted), session)
            case .sendBlocks(let blocks):
                for block in blocks {
                    let start = Int(block - 1) * parameters.blockSize
                    let header = TFTPPacket.dataHeader(block: block)
                    let payload = file[start..<min(file.count, start + parameters.blockSize)]
                    let isLost = conditions.lostData.contains(result.dataPackets)
                    result.dataPackets += 1
                    if !isLost { toClient([header.0, header.1, header.2, header.3] + payload, session) }
                }
            case .end(let outcome):
                sessions[session].isAlive = false
                result.outcomes.append(outcome)
            }
        }
    }

    private mutating func send(_ packet: ReferenceClient.Outgoing) {
        let packet = PacketQueue.Packet(bytes: packet.bytes, isForServer: true, session: packet.server)
        transmit(packet)
        if let echo = conditions.echo { queue.add(packet, at: now + conditions.delay.upperBound + echo, now: now) }
    }

    private mutating func toClient(_ bytes: [UInt8], _ session: Int) {
        transmit(PacketQueue.Packet(bytes: bytes, isForServer: false, session: session))
    }

    private mutating func transmit(_ packet: PacketQueue.Packet) {
        if conditions.loss > 0, generator.chance(conditions.loss) { return }
        queue.add(packet, at: now + delay(), now: now)
        if conditions.duplication > 0, generator.chance(conditions.duplication) {
            queue.add(packet, at: now + delay(), now: now)
        }
    }

    private mutating func delay() -> Int64 {
        let range = conditions.delay
        return range.lowerBound + Int64(generator.next() % UInt64(range.upperBound - range.lowerBound + 1))
    }
}
