import CLinux
import Foundation
import Glibc

/// Connections that each load one file after another. The bodies are dropped by the kernel (tcp(7), `MSG_TRUNC`): a client that
/// copied them would be measured, not the server.
struct DownloadLoad: Sendable {
    let server: sockaddr_in
    let path: String
    let connections: Int

    struct Outcome: Sendable {
        var bytes = 0.0
        var seconds = 0.0
        var failures = 0
    }

    private struct Connection {
        var descriptor: Int32
        /// Of the body that is being read; nil while its head is.
        var left: Int?
    }

    /// Loads for so many seconds after `warmUp`; what came before does not count. `stop`, where it is given, ends it earlier.
    func run(seconds: Double, warmUp: Double = 0.3, stop: Flag? = nil, started: Flag? = nil) throws -> Outcome {
        let poll = clinux_poll_create()
        guard poll >= 0 else { throw LoopbackSocket.Failure("epoll_create1") }
        defer { close(poll) }
        var all: [Int32: Connection] = [:]
        defer { for descriptor in all.keys { close(descriptor) } }
        for number in 0..<connections {
            let descriptor = try LoopbackSocket.connect(
                to: server, from: LoopbackSocket.client(number), blocking: true)
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            all[descriptor] = Connection(descriptor: descriptor)
            guard clinux_poll_add(poll, descriptor, clinux_readable) == 0 else {
                throw LoopbackSocket.Failure("epoll_ctl")
            }
            try ask(descriptor)
        }
        let begin = LoopbackSocket.now() + warmUp
        let end = begin + seconds
        var outcome = Outcome()
        var events = [clinux_condition](repeating: clinux_condition(), count: 512)
        var now = LoopbackSocket.now()
        started?.set()
        while now < end, stop?.isSet != true {
            let count = clinux_poll_wait(poll, &events, 512, 50)
            for index in 0..<max(0, Int(count)) {
                let descriptor = events[index].descriptor
                guard var connection = all[descriptor] else { continue }
                let bytes = try read(&connection)
                all[descriptor] = connection
                if now >= begin { outcome.bytes += Double(bytes) }
            }
            now = LoopbackSocket.now()
        }
        outcome.seconds = now - begin
        return outcome
    }

    private func ask(_ descriptor: Int32) throws {
        let request = Array("GET \(path) HTTP/1.1\r\nHost: bench\r\n\r\n".utf8)
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            throw LoopbackSocket.Failure("send")
        }
    }

    /// As many bytes of the body as there are, up to a bound: one connection must not keep the thread.
    private func read(_ connection: inout Connection) throws -> Int {
        if let left = connection.left {
            let count = recv(
                connection.descriptor, nil, min(left, 1 << 20), Int32(MSG_TRUNC))
            if count < 0, errno == EAGAIN { return 0 }
            guard count > 0 else { throw LoopbackSocket.Failure("the server ended a connection within a body") }
            connection.left = left - count
            if left == count {
                connection.left = nil
                try ask(connection.descriptor)
            }
            return count
        }
        var byte: [UInt8] = [UInt8](repeating: 0, count: 1024)
        let count = recv(connection.descriptor, &byte, 1024, Int32(MSG_PEEK))
        if count < 0, errno == EAGAIN { return 0 }
        guard count > 0 else { throw LoopbackSocket.Failure("the server ended a connection within a head") }
        guard let head = try AnswerHead(byte[..<count]) else { return 0 }
        recv(connection.descriptor, &byte, head.length, 0)
        connection.left = head.bodyLength
        return 0
    }
}

/// What one thread tells another.
final class Flag: @unchecked Sendable {
    // @unchecked: the lock guards the value.
    private let lock = NSLock()
    private var value = false

    var isSet: Bool { lock.withLock { value } }
    func set() { lock.withLock { value = true } }
}

struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// One connection that asks for something small every few milliseconds, and how long each answer took.
struct ProbeLoad: Sendable {
    let server: sockaddr_in
    let path: String

    /// Milliseconds, sorted.
    func run(seconds: Double, pause: useconds_t = 2000) throws -> [Double] {
        let descriptor = try LoopbackSocket.connect(
            to: server, from: LoopbackSocket.client(5000), blocking: true)
        defer { close(descriptor) }
        let request = Array("GET \(path) HTTP/1.1\r\nHost: bench\r\n\r\n".utf8)
        var buffer = [UInt8](repeating: 0, count: 65536)
        var times: [Double] = []
        let end = LoopbackSocket.now() + seconds
        while LoopbackSocket.now() < end {
            let begin = LoopbackSocket.now()
            send(descriptor, request, request.count, Int32(MSG_NOSIGNAL))
            // An answer this small comes in one piece.
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 12, buffer[9..<12].elementsEqual("200".utf8) else {
                throw BenchmarkFailure(
                    "not what was expected: \(String(decoding: buffer[..<max(0, count)], as: UTF8.self))")
            }
            times.append((LoopbackSocket.now() - begin) * 1000)
            usleep(pause)
        }
        return times.sorted()
    }
}

extension [Double] {
    /// Of sorted values.
    func percentile(_ percent: Double) -> Double {
        isEmpty ? .nan : self[Swift.min(count - 1, Int(Double(count) * percent / 100))]
    }
}
