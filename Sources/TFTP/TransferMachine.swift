/// How a transfer ended.
package enum TransferOutcome: Hashable, Sendable {
    case completed
    /// The client sent an ERROR before it had taken a byte: firmware reads the size from the OACK and asks again.
    case sizeProbe
    /// The client sent an ERROR.
    case aborted(code: UInt16, message: String)
    case timedOut
    /// Its client had said nothing, and its place was needed.
    case gaveWay
}

/// One transfer of one file, as a state machine without sockets or clocks: packets and time go in, at most one action for each comes out.
/// Octet mode, reading only. Times are milliseconds of any steady clock.
package struct TransferMachine: Sendable {
    package enum Action: Hashable, Sendable {
        case sendOptionAcknowledgement
        /// Blocks by their number from 1, without wrap. The last may be short or empty.
        case sendBlocks(ClosedRange<Int64>)
        case end(TransferOutcome)
    }

    /// First wait for an answer, in milliseconds; doubled for each repetition unless the client named a timeout.
    package static let initialTimeout: Int64 = 1000
    package static let maximumTimeout: Int64 = 8000
    /// Repetitions without progress before the client is given up.
    package static let maximumRepetitions = 6
    /// The same for a client that has never answered.
    package static let maximumUnansweredRepetitions = 3
    /// A repeated ACK is answered only when the last window has had time to be answered, by the last round trip between
    /// these two bounds in milliseconds: answering earlier would double every packet from then on (RFC 1123 section
    /// 4.2.3.1, "Sorcerer's Apprentice Syndrome"). Of a window of several blocks it may say that the first was lost, and then both sides
    /// would wait. It is answered at once where it can be about that window: a round trip after it was sent, the shortest one seen.
    /// Where that is less than a millisecond nothing tells it from an echo: so once in so many windows only.
    package static let duplicateGuard: ClosedRange<Int64> = 20...500
    package static let windowsBetweenLosses = 8

    /// Milliseconds after which the last block of a window is sent again, by two of the last round trip: who lost that block says
    /// nothing of it, for nothing came after it, and both sides would wait for a timer. Who has it says so again, or ignores it
    /// (RFC 7440 section 4).
    package static let probe: ClosedRange<Int64> = 10...1000

    package let parameters: TransferParameters
    /// Blocks of the file: one more than the full ones, so that the last is always shorter than the block size.
    package let blockCount: Int64
    /// Blocks that were sent more than once.
    package private(set) var repeatedBlocks: Int64 = 0
    /// When the machine wants `timerFired` at the latest.
    package var deadline: Int64 { min(answerDeadline, probeDeadline ?? .max) }

    private var acknowledged: Int64 = 0
    private var sent: Int64 = 0
    private var awaitsOptionAnswer: Bool
    /// The client has answered. Until it has, the request may be forged, so its own timeout does not count and few
    /// repetitions are made: a forger cannot hold a place for long, or have much sent to somebody else.
    package private(set) var hasAnswered = false
    private var repetitions = 0
    private var answerDeadline: Int64
    /// Where the last block of the window may have to be sent again.
    private var probeDeadline: Int64?
    private var lastSend: Int64
    /// Windows that have to go well before a repeated ACK is answered at once again.
    private var suspectWindows = 0
    /// When the window was sent for the first time.
    private var windowStart: Int64
    /// From the first sending of a window to progress: after a loss too long, which only delays one answer.
    private var roundTrip: Int64 = 0
    private var shortestRoundTrip: Int64 = .max
    private var timeout: Int64
    private var hasEnded = false

    package init(fileSize: Int64, parameters: TransferParameters, now: Int64) {
        self.parameters = parameters
        blockCount = fileSize / Int64(parameters.blockSize) + 1
        awaitsOptionAnswer = !parameters.accepted.isEmpty
        timeout = Self.initialTimeout
        lastSend = now
        windowStart = now
        answerDeadline = now + timeout
    }

    /// Bytes of the file that the client has acknowledged, at most.
    package func acknowledgedBytes(fileSize: Int64) -> Int64 {
        min(acknowledged * Int64(parameters.blockSize), fileSize)
    }

    /// The first packets: an OACK when options were agreed, else data at once.
    package mutating func start(now: Int64) -> Action? {
        awaitsOptionAnswer ? .sendOptionAcknowledgement : sendWindow(now)
    }

    package mutating func received(_ packet: TFTPPacket, now: Int64) -> Action? {
        guard !hasEnded else { return nil }
        switch packet {
        case .acknowledgement(let number): return acknowledge(number, now)
        case .error(let code, let message):
            hasEnded = true
            // EDK2 ends its probe with code 8, other firmware with 0.
            let isProbe = acknowledged == 0 && [0, 8].contains(code)
            return .end(isProbe ? .sizeProbe : .aborted(code: code, message: message))
        case .read, .write: return nil  // a repeated request: the timer answers it
        }
    }

    /// Whether an ACK that came twice changes nothing, even when it is read a round trip late.
    package var ignoresRepetition: Bool { parameters.windowSize == 1 && roundTrip < Self.duplicateGuard.lowerBound }

    private mutating func acknowledge(_ number: UInt16, _ now: Int64) -> Action? {
        if awaitsOptionAnswer {
            guard number == 0 else { return nil }
            awaitsOptionAnswer = false
            return progress(now)
        }
        // How far this ACK is ahead of the last one, by its 16 bits: more than what is under way is an old packet.
        let ahead = Int64(number &- UInt16(truncatingIfNeeded: acknowledged))
        guard ahead <= sent - acknowledged else { return nil }
        if ahead > 0 {
            // What is still on its way after a loss has some clients say the same again for each.
            if acknowledged + ahead < sent { suspectWindows = max(suspectWindows, 2) }
            acknowledged += ahead
            if acknowledged == blockCount {
                hasEnded = true
                return .end(.completed)
            }
            return progress(now)
        }
        let pause = min(max(roundTrip, Self.duplicateGuard.lowerBound), Self.duplicateGuard.upperBound)
        if parameters.windowSize > 1, suspectWindows == 0, now - lastSend >= shortestRoundTrip {
            suspectWindows = Self.windowsBetweenLosses
        } else if now - lastSend < pause {
            return nil
        }
        armProbe(now)
        return sendWindow(now)
    }

    /// The timer is armed by progress, never by receipt alone: a client that only repeats itself times out.
    private mutating func progress(_ now: Int64) -> Action? {
        hasAnswered = true
        repetitions = 0
        roundTrip = now - windowStart
        shortestRoundTrip = min(shortestRoundTrip, roundTrip)
        windowStart = now
        timeout = parameters.timeout.map { Int64($0) * 1000 } ?? Self.initialTimeout
        answerDeadline = now + timeout
        suspectWindows = max(0, suspectWindows - 1)
        armProbe(now)
        return sendWindow(now)
    }

    private mutating func armProbe(_ now: Int64) {
        let probe = min(max(2 * roundTrip, Self.probe.lowerBound), Self.probe.upperBound)
        probeDeadline = parameters.windowSize > 1 ? now + probe : nil
    }

    package mutating func timerFired(now: Int64) -> Action? {
        guard !hasEnded, now >= deadline else { return nil }
        guard now >= answerDeadline else {
            probeDeadline = nil
            repeatedBlocks += 1
            return .sendBlocks(sent...sent)
        }
        guard repetitions < (hasAnswered ? Self.maximumRepetitions : Self.maximumUnansweredRepetitions) else {
            hasEnded = true
            return .end(.timedOut)
        }
        repetitions += 1
        if parameters.timeout == nil || !hasAnswered { timeout = min(timeout * 2, Self.maximumTimeout) }
        answerDeadline = now + timeout
        // The whole window is repeated: its last block with it.
        probeDeadline = nil
        return awaitsOptionAnswer ? .sendOptionAcknowledgement : sendWindow(now)
    }

    /// The window after the last acknowledged block; after a loss this goes back to it (RFC 7440 section 4).
    private mutating func sendWindow(_ now: Int64) -> Action? {
        let last = min(acknowledged + Int64(parameters.windowSize), blockCount)
        repeatedBlocks += max(0, sent - acknowledged)
        sent = last
        lastSend = now
        return .sendBlocks(acknowledged + 1...last)
    }
}
