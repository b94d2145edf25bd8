import BootPlane
import TFTP

/// What machines that boot send, and whoever else reaches the ports.
extension FuzzTargets {
    /// A request's name leads nowhere out of the namespace, and its options are answered within their limits.
    static func tftpPacket(_ bytes: [UInt8]) {
        guard case .read(let request) = try? TFTPPacket(bytes) else { return }
        if let path = TFTPPath.normalized(request.fileName) {
            let parts = path.utf8.split(separator: UInt8(ascii: "/"))
            precondition(path.utf8.first == UInt8(ascii: "/"), "a name is not below the root")
            precondition(!parts.contains { $0.elementsEqual("..".utf8) }, "a name leads out")
            precondition(!path.unicodeScalars.contains { $0.value < 32 }, "a name has control characters")
        }
        let parameters = TransferParameters(options: request.options, fileSize: 5000, limits: .init(blockSize: 1468))
        precondition((8...1468).contains(parameters.blockSize) && (1...64).contains(parameters.windowSize))
        let names = request.options.map(\.name)
        precondition(parameters.accepted.allSatisfy { names.contains($0.name) }, "an option that nobody asked for")
    }

    /// Whatever a client sends, and however time passes: blocks are of the file and no more than a window, a transfer ends once,
    /// and by silence it ends.
    static func tftpTransfer(_ bytes: [UInt8]) {
        guard bytes.count > 4 else { return }
        let window = Int(bytes[0] % 70) + 1
        let size = Int64(bytes[1]) << 8 | Int64(bytes[2])
        let parameters = TransferParameters(
            options: [("blksize", "\(8 + Int(bytes[3]))"), ("windowsize", "\(window)")], fileSize: size,
            limits: .init(blockSize: 200))
        var machine = TransferMachine(fileSize: size, parameters: parameters, now: 0)
        var now: Int64 = 0
        var hasEnded = false
        func check(_ action: TransferMachine.Action?) {
            precondition(!hasEnded || action == nil, "it goes on after its end")
            switch action {
            case .sendBlocks(let blocks):
                precondition(blocks.lowerBound >= 1 && blocks.upperBound <= machine.blockCount, "no such block")
                precondition(blocks.count <= parameters.windowSize, "more than a window")
            case .end: hasEnded = true
            case .sendOptionAcknowledgement, nil: break
            }
        }
        check(machine.start(now: now))
        var rest = bytes.dropFirst(4)
        while rest.count >= 5 {
            now += Int64(rest.removeFirst()) * 10
            if let packet = try? TFTPPacket(Array(rest.prefix(4))) {
                check(machine.received(packet, now: now))
            } else {
                check(machine.timerFired(now: now))
            }
            rest = rest.dropFirst(4)
        }
        var silences = 0
        while !hasEnded {
            now = max(now, machine.deadline)
            check(machine.timerFired(now: now))
            silences += 1
            precondition(silences < 20, "a silent client is not given up")
        }
    }

    /// A path's components lead nowhere out, and are the same however often they are read.
    static func requestTarget(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        if let components = URLPath.components(parts.first ?? "") {
            for component in components {
                precondition(component != ".." && component != "." && !component.isEmpty, "a component leads out")
                precondition(!component.utf8.contains(UInt8(ascii: "/")), "a component has a slash")
                precondition(!component.utf8.contains { $0 < 32 || $0 == 127 }, "a component has control characters")
            }
        }
        precondition(URLPath.query(parts.dropFirst().first ?? "").count <= 64)
    }

    /// One line of bounded length, without control characters.
    static func syslog(_ bytes: [UInt8]) {
        let message = SyslogMessage(bytes)
        precondition(!message.text.unicodeScalars.contains { $0.value < 32 || (0x7f..<0xa0).contains($0.value) })
        // What is not UTF-8 becomes a character of three bytes; the dialects add a few words.
        precondition(message.text.utf8.count <= SyslogMessage.maximumSize * 3 + 100)
        precondition(message.severity.map { (0...7).contains($0) } ?? true)
        precondition(message.summary(limit: 400).count <= 400)
    }

    /// The same messages however the stream is cut, none longer than the limit.
    static func syslogStream(_ bytes: [UInt8]) {
        func messages(_ size: Int) -> [[UInt8]]? {
            var framing = SyslogFraming()
            var found: [[UInt8]] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                guard let new = try? framing.take(bytes[start..<min(bytes.count, start + size)]) else { return nil }
                found += new
            }
            return found + (framing.finish().map { [$0] } ?? [])
        }
        let whole = messages(max(1, bytes.count))
        precondition(whole == messages(1) && whole == messages(7), "the cut of the stream matters")
        precondition(whole?.allSatisfy { $0.count <= SyslogMessage.maximumSize } ?? true)
    }
}
