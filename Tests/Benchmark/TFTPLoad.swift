import CLinux
import Foundation
import Glibc

/// TFTP clients that each load one file after another, and compare every block with what it should be.
struct TFTPLoad: Sendable {
    let server: sockaddr_in
    let name: String
    let content: [UInt8]
    let clients: Int
    let blockSize: Int
    var windowSize = 1
    /// DATA packets of a thousand that the clients act as if they had not come.
    var lossPerThousand = 0
    /// Seconds after which a client repeats its last packet.
    var patience = 0.5

    struct Outcome: Sendable {
        var bytes = 0.0
        var seconds = 0.0
        /// Transfers that ended otherwise than whole and right, or stood still for long.
        var failures = 0
        var finished = 0
    }

    private final class Client {
        var descriptor: Int32 = -1
        let address: in_addr_t
        /// The server's port of this transfer: the socket is connected to it after the first answer.
        var isConnected = false
        /// The number of the next block, from 1, not wrapped.
        var next = 1
        var blockSize = 512
        var windowSize = 1
        /// The last block that was acknowledged.
        var acknowledged = 0
        var saidGap = false
        var lastSent = 0.0
        var lastProgress = 0.0

        init(_ address: in_addr_t) { self.address = address }
    }

    /// Loads for so many seconds after `warmUp`;
    func run(seconds: Double, warmUp: Double = 0.3) throws -> Outcome {
        let poll = clinux_poll_create()
        guard poll >= 0 else { throw LoopbackSocket.Failure("epoll_create1") }
        defer { close(poll) }
        var byDescriptor: [Client?] = []
        let all = (0..<clients).map { Client(LoopbackSocket.client($0)) }
        defer { for client in all where client.descriptor >= 0 { close(client.descriptor) } }
        func start(_ client: Client) throws {
            client.descriptor = try LoopbackSocket.open(SOCK_DGRAM, from: client.address)
            while byDescriptor.count <= Int(client.descriptor) { byDescriptor.append(nil) }
            byDescriptor[Int(client.descriptor)] = client
            guard clinux_poll_add(poll, client.descriptor, clinux_readable) == 0 else {
                throw LoopbackSocket.Failure("epoll_ctl")
            }
            (client.isConnected, client.next, client.acknowledged, client.saidGap) = (false, 1, 0, false)
            (client.blockSize, client.windowSize) = (512, 1)
            client.lastProgress = LoopbackSocket.now()
            if windowSize > 1 { joinDatagrams(client.descriptor) }
            request(client)
        }
        for client in all { try start(client) }
        let begin = LoopbackSocket.now() + warmUp
        let end = begin + seconds
        var outcome = Outcome()
        var events = [clinux_condition](repeating: clinux_condition(), count: 512)
        var buffer = [UInt8](repeating: 0, count: 65536)
        var random = SystemRandomNumberGenerator()
        var now = LoopbackSocket.now()
        var nextTimers = now + 0.01
        while now < end {
            let count = clinux_poll_wait(poll, &events, 512, 10)
            for index in 0..<max(0, Int(count)) {
                guard let client = byDescriptor[Int(events[index].descriptor)] else { continue }
                // What has come of its window, and no more: others wait.
                for _ in 0..<client.windowSize {
                    let (result, bytes) = receive(client, &buffer, &random, now)
                    if now >= begin { outcome.bytes += Double(bytes) }
                    if result == .empty { break }
                    if result == .goesOn { continue }
                    if result == .failed { outcome.failures += 1 } else { outcome.finished += 1 }
                    byDescriptor[Int(client.descriptor)] = nil
                    close(client.descriptor)
                    client.descriptor = -1
                    try start(client)
                    break
                }
            }
            now = LoopbackSocket.now()
            if now >= nextTimers {
                nextTimers = now + 0.01
                for client in all where now - max(client.lastSent, client.lastProgress) > patience {
                    if now - client.lastProgress > 5 {
                        outcome.failures += 1
                        client.lastProgress = now
                    }
                    if client.isConnected { acknowledge(client, now) } else { request(client) }
                }
            }
        }
        // The server learns that nobody wants the rest.
        for client in all where client.isConnected {
            let packet: [UInt8] = [0, 5, 0, 0, 0]
            send(client.descriptor, packet, packet.count, 0)
        }
        outcome.seconds = now - begin
        return outcome
    }

    /// The kernel gives those of a window together where it has them together (udp(7), `UDP_GRO`): a call for each would take longer
    /// than the server does, and be what is measured.
    private func joinDatagrams(_ descriptor: Int32) {
        let joins: Int32 = 104
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_UDP), joins, &on, 4)
    }

    private func request(_ client: Client) {
        var packet: [UInt8] = [0, 1]
        var words = [name, "octet", "tsize", "0", "blksize", String(blockSize)]
        if windowSize > 1 { words += ["windowsize", String(windowSize)] }
        for word in words { packet += Array(word.utf8) + [0] }
        _ = withUnsafePointer(to: server) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(client.descriptor, packet, packet.count, 0, $0, 16)
            }
        }
        client.lastSent = LoopbackSocket.now()
    }

    private func acknowledge(_ client: Client, _ now: Double) {
        client.acknowledged = client.next - 1
        let block = UInt16(truncatingIfNeeded: client.acknowledged)
        var packet: (UInt8, UInt8, UInt8, UInt8) = (0, 4, UInt8(block >> 8), UInt8(block & 255))
        send(client.descriptor, &packet, 4, Int32(MSG_NOSIGNAL))
        client.lastSent = now
    }

    private enum Step { case empty, goesOn, finished, failed }

    private func receive(
        _ client: Client, _ buffer: inout [UInt8], _ random: inout SystemRandomNumberGenerator, _ now: Double
    ) -> (Step, Int) {
        let count: Int
        if client.isConnected {
            count = recv(client.descriptor, &buffer, buffer.count, 0)
        } else {
            var remote = sockaddr_in()
            var length: socklen_t = 16
            count = withUnsafeMutablePointer(to: &remote) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(client.descriptor, &buffer, buffer.count, 0, $0, &length)
                }
            }
            if count >= 0 {
                _ = withUnsafePointer(to: &remote) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(client.descriptor, $0, 16) }
                }
                client.isConnected = true
            }
        }
        guard count >= 0 else { return (errno == EAGAIN ? .empty : .failed, 0) }
        // Of joined ones all but the last are as long as a block is.
        let length = client.blockSize + 4
        var (all, start) = (0, 0)
        repeat {
            let end = min(start + length, count)
            let (step, bytes) = buffer.withUnsafeBytes { bytes in
                take(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), client, &random, now)
            }
            all += bytes
            guard case .goesOn = step else { return (step, all) }
            start = end
        } while start < count
        return (.goesOn, all)
    }

    /// What one packet does.
    private func take(
        _ buffer: UnsafeRawBufferPointer, _ client: Client, _ random: inout SystemRandomNumberGenerator, _ now: Double
    ) -> (Step, Int) {
        let count = buffer.count
        guard count >= 4 else { return (.failed, 0) }
        switch buffer[1] {
        case 6:
            let words = buffer[2..<count].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            for (name, value) in zip(words, words.dropFirst()) {
                if name == "blksize" { client.blockSize = Int(value) ?? 512 }
                if name == "windowsize" { client.windowSize = Int(value) ?? 1 }
            }
            client.lastProgress = now
            acknowledge(client, now)
            return (.goesOn, 0)
        case 3: break
        default: return (.failed, 0)
        }
        if lossPerThousand > 0, Int.random(in: 0..<1000, using: &random) < lossPerThousand { return (.goesOn, 0) }
        let block = UInt16(buffer[2]) << 8 | UInt16(buffer[3])
        guard block == UInt16(truncatingIfNeeded: client.next) else {
            // Ahead of what is expected: something was lost (RFC 7440 section 4), said once.
            let distance = block &- UInt16(truncatingIfNeeded: client.next)
            if distance < 32768, !client.saidGap {
                client.saidGap = true
                acknowledge(client, now)
            }
            return (.goesOn, 0)
        }
        let offset = (client.next - 1) * client.blockSize
        let size = count - 4
        let isRight =
            offset + size <= content.count
            && content.withUnsafeBytes { right in
                guard let right = right.baseAddress, let got = buffer.baseAddress else { return false }
                return memcmp(right + offset, got + 4, size) == 0
            }
        guard isRight else { return (.failed, 0) }
        client.next += 1
        client.saidGap = false
        client.lastProgress = now
        let isLast = size < client.blockSize
        if isLast || client.next - 1 - client.acknowledged >= client.windowSize { acknowledge(client, now) }
        guard isLast else { return (.goesOn, size) }
        return (offset + size == content.count ? .finished : .failed, size)
    }
}
