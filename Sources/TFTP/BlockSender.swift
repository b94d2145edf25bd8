internal import CLinux
internal import Glibc

/// Sends blocks of a file to the peer of a connected socket, as many in one call as the kernel takes: with UDP segmentation
/// offload (udp(7), `UDP_SEGMENT`), and with sendmmsg(2) where kernel, card or path do not offer it. A large one by itself is not
/// even read.
struct BlockSender {
    enum Progress: Equatable {
        case sent
        /// The socket has no room now; `next` is the first block that was not sent.
        case full(next: Int64)
        case unreadable
    }

    /// Of a datagram over IPv4, which a segmented call may not exceed either.
    private static let maximumBytes = 65_507
    /// Segments of one call (`UDP_MAX_SEGMENTS` of Linux).
    private static let maximumBlocks = 64
    private static let headerSize = 4

    private let descriptor: Int32
    private let content: TFTPContent
    private let blockSize: Int
    private let ahead: ReadAhead?
    /// Off from the first refusal on.
    private(set) var usesSegments: Bool

    private(set) var splices = true

    /// Bytes that `send` needs of its buffer: the largest block with its header, as many as go into one call, or as no datagram holds.
    static let bufferSize = 66_000

    init(descriptor: Int32, content: TFTPContent, blockSize: Int, usesSegments: Bool = true) {
        self.descriptor = descriptor
        self.content = content
        self.blockSize = blockSize
        self.usesSegments = usesSegments
        let step = blockSize + Self.headerSize
        if case .file = content, ReadAhead.capacity / step >= 4 { ahead = ReadAhead() } else { ahead = nil }
    }

    /// Sends blocks by their number from 1. What the network refuses for another reason than room is a lost packet: the timer
    /// repeats it.
    mutating func send(_ blocks: ClosedRange<Int64>, buffer: UnsafeMutableRawBufferPointer) -> Progress {
        if blocks.count == 1, let ahead { return send(blocks.lowerBound, from: ahead) }
        if blocks.count == 1, splice(blocks.lowerBound, buffer) { return .sent }
        let step = blockSize + Self.headerSize
        let limit = Int64(max(1, min(Self.maximumBlocks, Self.maximumBytes / step)))
        var first = blocks.lowerBound
        while first <= blocks.upperBound {
            let last = min(first + limit - 1, blocks.upperBound)
            guard let count = fill(buffer, first...last) else { return .unreadable }
            if let unsent = transmit(UnsafeRawBufferPointer(rebasing: buffer[..<count]), first...last) {
                return .full(next: unsent)
            }
            first = last + 1
        }
        return .sent
    }

    /// In lock-step: the file is read for many blocks at once, and each is one plain call.
    private func send(_ block: Int64, from ahead: ReadAhead) -> Progress {
        let step = blockSize + Self.headerSize
        if !ahead.blocks.contains(block) {
            let count = Int64(min(Self.maximumBlocks, ReadAhead.capacity / step))
            let last = min(block + count - 1, content.size / Int64(blockSize) + 1)
            ahead.blocks = 0..<0
            guard fill(ahead.buffer, block...last) != nil else { return .unreadable }
            ahead.blocks = block..<last + 1
        }
        let start = Int(block - ahead.blocks.lowerBound) * step
        let size = Int(min(Int64(blockSize), content.size - (block - 1) * Int64(blockSize)))
        let sent = Glibc.send(
            descriptor, ahead.buffer.baseAddress.map { $0 + start }, size + Self.headerSize, Int32(MSG_NOSIGNAL))
        return sent < 0 && errno == EAGAIN ? .full(next: block) : .sent
    }

    /// Large blocks are read and copied like small ones from now on: something does not arrive, and what the kernel makes of pages is
    /// more than every card and driver has seen.
    mutating func stopSplicing() { splices = false }

    /// False where the block was not sent.
    private func splice(_ block: Int64, _ buffer: UnsafeMutableRawBufferPointer) -> Bool {
        guard splices, case .file(let file, let offset, _) = content else { return false }
        let start = (block - 1) * Int64(blockSize)
        let count = min(Int64(blockSize), content.size - start)
        guard count >= SplicedDatagram.minimum else { return false }
        return SplicedDatagram.send(
            TFTPPacket.dataHeader(block: block), file: file.descriptor, offset: offset + start, count: Int(count),
            to: descriptor, buffer: buffer)
    }

    /// The first block that the socket had no room for; nil when there is none.
    private mutating func transmit(_ bytes: UnsafeRawBufferPointer, _ blocks: ClosedRange<Int64>) -> Int64? {
        let step = blockSize + Self.headerSize
        if blocks.count > 1, usesSegments {
            if clinux_send_segments(descriptor, bytes.baseAddress, bytes.count, step) >= 0 { return nil }
            switch errno {
            case EAGAIN: return blocks.lowerBound
            case EINVAL, EIO, EMSGSIZE, ENOPROTOOPT, EOPNOTSUPP: usesSegments = false
            default: return nil
            }
        }
        var done = 0
        while done < blocks.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[(done * step)...])
            let count = clinux_send_datagrams(descriptor, rest.baseAddress, rest.count, step)
            guard count > 0 else {
                // Of a full queue of the card (ENOBUFS) the socket does not tell when it has room: that is a lost packet.
                return count < 0 && errno == EAGAIN ? blocks.lowerBound + Int64(done) : nil
            }
            done += Int(count)
        }
        return nil
    }

    /// The blocks one after another, each with its header. nil when the content cannot be read.
    private func fill(_ buffer: UnsafeMutableRawBufferPointer, _ blocks: ClosedRange<Int64>) -> Int? {
        let step = blockSize + Self.headerSize
        let start = (blocks.lowerBound - 1) * Int64(blockSize)
        let wanted = Int(max(0, min(Int64(blockSize * blocks.count), content.size - start)))
        for (index, block) in blocks.enumerated() {
            let header = TFTPPacket.dataHeader(block: block)
            let place = index * step
            (buffer[place], buffer[place + 1], buffer[place + 2], buffer[place + 3]) = header
        }
        // All but the last are full: the last of a file is always shorter.
        let last = wanted - blockSize * (blocks.count - 1)
        guard last >= 0 else { return nil }
        switch content {
        case .bytes(let bytes):
            for index in 0..<blocks.count {
                let from = Int(start) + index * blockSize
                let count = index == blocks.count - 1 ? last : blockSize
                let target = UnsafeMutableRawBufferPointer(
                    rebasing: buffer[(index * step + Self.headerSize)..<(index * step + Self.headerSize + count)])
                target.copyBytes(from: bytes[from..<from + count])
            }
        case .file(let file, let offset, _):
            while true {
                let count = clinux_read_blocks(
                    file.descriptor, offset + start, buffer.baseAddress, blocks.count, Self.headerSize, blockSize, last)
                if count < 0, errno == EINTR { continue }
                guard count == wanted else { return nil }
                break
            }
        }
        return Self.headerSize * blocks.count + wanted
    }
}

/// Blocks of one transfer that were read together, each with its header.
private final class ReadAhead {
    /// Little, for thousands of transfers may have one.
    static let capacity = 16 << 10

    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
    var blocks: Range<Int64> = 0..<0

    deinit { buffer.deallocate() }
}
