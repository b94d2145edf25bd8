import Glibc
import TFTP

/// A UDP socket of a test's client on IPv4 loopback. Calls block for at most five seconds.
final class ClientSocket {
    struct Datagram {
        let bytes: [UInt8]
        let host: String
        let port: UInt16
    }

    struct Failure: Error {
        let operation: String
        let errorNumber = errno
    }

    let descriptor: Int32

    init(address: String = "127.0.0.1") throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(operation: "socket") }
        var timeout = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var size: Int32 = 1 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        try Self.with(address, 0) { bind(descriptor, $0, $1) }
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8], to host: String = "127.0.0.1", port: UInt16) throws {
        try Self.with(host, port) { sendto(descriptor, bytes, bytes.count, 0, $0, $1) < 0 ? -1 : 0 }
    }

    /// The next datagram; nil when none came in time.
    func receive() -> Datagram? {
        var buffer = [UInt8](repeating: 0, count: 70_000)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
            }
        }
        guard count >= 0 else { return nil }
        var text = [CChar](repeating: 0, count: Int(INET_ADDRSTRLEN))
        inet_ntop(AF_INET, &address.sin_addr, &text, socklen_t(text.count))
        let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return Datagram(bytes: Array(buffer[..<count]), host: host, port: UInt16(bigEndian: address.sin_port))
    }

    private static func with(
        _ host: String, _ port: UInt16, _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        let result = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard result == 0 else { throw Failure(operation: "address \(host) \(port)") }
    }
}

/// Drives reference clients over real sockets, as many at once as are given.
enum SocketTransfers {
    private struct Transfer {
        let socket: ClientSocket
        var client: ReferenceClient
    }

    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Fetches everything, from the `sources` in turn as the clients' own addresses. The clients are given back, ended,
    /// in the same order.
    static func run(
        _ requests: [(path: String, options: [(name: String, value: String)])], from sources: [String] = ["127.0.0.1"],
        host: String = "127.0.0.1", port: UInt16
    ) throws -> [ReferenceClient] {
        var transfers = try requests.enumerated().map { index, request in
            Transfer(
                socket: try ClientSocket(address: sources[index % sources.count]),
                client: ReferenceClient(path: request.path, options: request.options, now: now()))
        }
        for transfer in transfers { try send(transfer.client.start(), transfer.socket, host, port) }
        while transfers.contains(where: { !$0.client.hasEnded }) {
            var polls = transfers.map {
                pollfd(fd: $0.client.hasEnded ? -1 : $0.socket.descriptor, events: Int16(POLLIN), revents: 0)
            }
            poll(&polls, nfds_t(polls.count), 50)
            for index in transfers.indices where !transfers[index].client.hasEnded {
                if polls[index].revents != 0, let packet = transfers[index].socket.receive() {
                    let answer = transfers[index].client.receive(packet.bytes, from: Int(packet.port), now: now())
                    if let answer { try send(answer, transfers[index].socket, host, port) }
                } else if let packet = transfers[index].client.timerFired(now: now()) {
                    try send(packet, transfers[index].socket, host, port)
                }
            }
        }
        return transfers.map(\.client)
    }

    static func fetch(
        _ path: String, _ options: [(name: String, value: String)] = [], host: String = "127.0.0.1", port: UInt16
    ) throws -> ReferenceClient? {
        try run([(path, options)], host: host, port: port).first
    }

    private static func send(
        _ packet: ReferenceClient.Outgoing, _ socket: ClientSocket, _ host: String, _ port: UInt16
    ) throws {
        try socket.send(packet.bytes, to: host, port: packet.server.map { UInt16($0) } ?? port)
    }
}
