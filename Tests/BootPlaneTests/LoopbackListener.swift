import Glibc

/// A TCP socket that listens on loopback, on a port of the kernel's choice, and does not block.
final class LoopbackListener: Sendable {
    struct Failure: Error { let call: String, code: Int32 }

    let descriptor: Int32
    private let port: in_port_t

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound, listen(descriptor, 16) == 0 else { throw Failure(call: "bind", code: errno) }
        port = address.sin_port
    }

    deinit { close(descriptor) }

    /// The next connection, which does not block; waits for it.
    func accept() -> Int32 {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = Glibc.poll(&poll, 1, -1)
        let accepted = Glibc.accept(descriptor, nil, nil)
        _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
        return accepted
    }

    func connect() throws -> LoopbackClient { try LoopbackClient(port: Int(in_port_t(bigEndian: port))) }
}

/// One end of a connection; its calls wait.
struct LoopbackClient {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Connects.
    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        let descriptor = descriptor
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let failure = LoopbackListener.Failure(call: "connect", code: errno)
            close(descriptor)
            throw failure
        }
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// So many bytes; fewer where the connection ends before.
    func receive(_ count: Int) -> String { String(decoding: receiveBytes(count), as: UTF8.self) }

    func receiveBytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65536)
        while bytes.count < count {
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            _ = Glibc.poll(&poll, 1, -1)
            let got = recv(descriptor, &part, min(part.count, count - bytes.count), 0)
            guard got > 0 else { break }
            bytes += part[..<got]
        }
        return bytes
    }

    /// The head of an answer, up to its empty line; less where the connection ends before.
    func receiveHead() -> String {
        var head = ""
        while !head.hasSuffix("\r\n\r\n") {
            let next = receive(1)
            guard !next.isEmpty else { return head }
            head += next
        }
        return head
    }

    /// Whether something has come, or the end.
    var hasSomething: Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, 0) > 0
    }

    /// Waits for something to come: nothing but the end.
    func isEnded() -> Bool { receive(1).isEmpty }

    func end() { close(descriptor) }
}
