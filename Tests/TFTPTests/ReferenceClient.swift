/// A TFTP client as RFC 1350, 2347, 2348, 2349 and 7440 describe it, written without the server's code and without
/// sockets or clocks: the simulation and the socket tests drive the same one.
struct ReferenceClient {
    /// What it does with a block that is not the next one.
    enum StrayPolicy: CaseIterable {
        /// Repeats its last ACK for each.
        case acknowledgeEach
        /// Repeats its last ACK once until the next block comes in order.
        case acknowledgeOnce
    }

    enum State: Equatable {
        case requesting, receiving, finished
        case failed(String)
    }

    /// A packet to send; `server` is the transfer identifier, nil for the request port.
    struct Outgoing {
        let bytes: [UInt8]
        let server: Int?
    }

    let options: [(name: String, value: String)]
    let retryInterval: Int64
    let strayPolicy: StrayPolicy
    private(set) var state = State.requesting
    private(set) var content: [UInt8] = []
    private(set) var deadline: Int64
    /// From the OACK.
    private(set) var totalSize: Int64?
    private(set) var blockSize = 512
    private(set) var windowSize = 1

    private let request: [UInt8]
    private var server: Int?
    private var expected: Int64 = 1
    private var inWindow = 0
    private var retries = 0
    private var hasAcknowledgedStray = false

    init(
        path: String, options: [(name: String, value: String)] = [], retryInterval: Int64 = 1000,
        strayPolicy: StrayPolicy = .acknowledgeEach, now: Int64 = 0
    ) {
        self.options = options
        self.retryInterval = retryInterval
        self.strayPolicy = strayPolicy
        request = Self.request(path: path, options: options)
        deadline = now + retryInterval
    }

    static func request(
        operation: UInt8 = 1, path: String, mode: String = "octet", options: [(name: String, value: String)] = []
    ) -> [UInt8] {
        let fields = [path, mode] + options.flatMap { [$0.name, $0.value] }
        return [0, operation] + fields.flatMap { Array($0.utf8) + [0] }
    }

    static func acknowledgement(_ block: Int64) -> [UInt8] {
        [0, 4, UInt8(truncatingIfNeeded: block >> 8), UInt8(truncatingIfNeeded: block)]
    }

    static func error(_ code: UInt8, _ message: String) -> [UInt8] { [0, 5, 0, code] + Array(message.utf8) + [0] }

    /// Whether it got exactly these bytes.
    func delivered(_ bytes: [UInt8]) -> Bool { state == .finished && content == bytes }

    var hasEnded: Bool { state != .requesting && state != .receiving }

    func start() -> Outgoing { Outgoing(bytes: request, server: nil) }

    mutating func timerFired(now: Int64) -> Outgoing? {
        guard !hasEnded, now >= deadline else { return nil }
        retries += 1
        deadline = now + retryInterval
        guard retries <= 80 else {
            state = .failed("no answer")
            return nil
        }
        inWindow = 0
        return state == .requesting ? start() : acknowledge()
    }

    mutating func receive(_ bytes: [UInt8], from sender: Int, now: Int64) -> Outgoing? {
        if case .failed = state { return nil }
        guard bytes.count >= 4, bytes[0] == 0 else { return fail("a packet of \(bytes.count) bytes") }
        guard sender == server ?? sender else { return Outgoing(bytes: Self.error(5, "not mine"), server: sender) }
        switch bytes[1] {
        case 3: return receiveData(Int64(bytes[2]) << 8 | Int64(bytes[3]), bytes[4...], from: sender, now: now)
        case 5: return fail("error \(bytes[3]): \(String(decoding: bytes[4...].dropLast(), as: UTF8.self))")
        case 6: return receiveOptions(bytes[2...], from: sender, now: now)
        default: return fail("operation \(bytes[1])")
        }
    }

    private mutating func receiveOptions(_ bytes: ArraySlice<UInt8>, from sender: Int, now: Int64) -> Outgoing? {
        guard state == .requesting else {
            // Repeated because our ACK 0 was lost, or late.
            return state == .receiving && expected == 1 ? acknowledge() : nil
        }
        let fields = bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
        guard fields.count.isMultiple(of: 2), !fields.isEmpty else { return fail("malformed OACK") }
        for index in stride(from: 0, to: fields.count, by: 2) {
            guard let asked = options.first(where: { $0.name == fields[index] }) else {
                return fail("\(fields[index]) was not asked")
            }
            guard let value = Int64(fields[index + 1]), let limit = Int64(asked.value) else {
                return fail("not a number")
            }
            switch asked.name {
            case "blksize" where (8...limit).contains(value): blockSize = Int(value)
            case "windowsize" where (1...limit).contains(value): windowSize = Int(value)
            case "timeout" where value == limit: continue
            case "tsize" where value >= 0: totalSize = value
            default: return fail("\(asked.name)=\(value) to \(asked.value)")
            }
        }
        accept(sender, now)
        return acknowledge()
    }

    private mutating func receiveData(
        _ number: Int64, _ payload: ArraySlice<UInt8>, from sender: Int, now: Int64
    ) -> Outgoing? {
        if state == .requesting {
            guard number == 1 else { return nil }
            accept(sender, now)
        }
        guard payload.count <= blockSize else { return fail("a block of \(payload.count) bytes, not \(blockSize)") }
        guard state == .receiving, number == expected & 0xffff else { return acknowledgeStray() }
        content += payload
        expected += 1
        inWindow += 1
        progress(now)
        if payload.count < blockSize { state = .finished }
        guard inWindow == windowSize || state == .finished else { return nil }
        inWindow = 0
        return acknowledge()
    }

    private mutating func acknowledgeStray() -> Outgoing? {
        // In lockstep each repeated block is acknowledged again (RFC 1350 section 2); so is the last, for as long as
        // the server repeats it.
        if windowSize > 1, state == .receiving, strayPolicy == .acknowledgeOnce, hasAcknowledgedStray { return nil }
        hasAcknowledgedStray = true
        inWindow = 0
        return acknowledge()
    }

    private func acknowledge() -> Outgoing {
        Outgoing(bytes: Self.acknowledgement(expected - 1), server: server)
    }

    private mutating func accept(_ sender: Int, _ now: Int64) {
        server = sender
        state = .receiving
        progress(now)
    }

    private mutating func progress(_ now: Int64) {
        retries = 0
        hasAcknowledgedStray = false
        deadline = now + retryInterval
    }

    private mutating func fail(_ reason: String) -> Outgoing? {
        state = .failed(reason)
        return nil
    }
}
