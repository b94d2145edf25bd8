import Foundation
import Glibc

/// Sockets of the load generators, on IPv4 loopback.
enum LoopbackSocket {
    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ operation: String) {
            description = "\(operation): \(String(cString: strerror(errno)))"
        }
    }

    /// The address that the `number`th client has: servers bound what one address may have.
    static func client(_ number: Int) -> in_addr_t {
        (0x7F01_0000 + UInt32(number % 250) + 1 + UInt32(number / 250) * 256).bigEndian
    }

    static func endpoint(_ address: in_addr_t, _ port: Int) -> sockaddr_in {
        var endpoint = sockaddr_in()
        endpoint.sin_family = sa_family_t(AF_INET)
        endpoint.sin_addr.s_addr = address
        endpoint.sin_port = in_port_t(port).bigEndian
        return endpoint
    }

    static func endpoint(_ text: String, _ port: Int) -> sockaddr_in { endpoint(inet_addr(text), port) }

    /// A socket with an address of its own.
    static func open(_ kind: __socket_type, from address: in_addr_t, blocking: Bool = false) throws -> Int32 {
        let flags = SOCK_CLOEXEC.rawValue | (blocking ? 0 : SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_INET, Int32(kind.rawValue | flags), 0)
        guard descriptor >= 0 else { throw Failure("socket") }
        var on: Int32 = 1
        // IP_BIND_ADDRESS_NO_PORT: ports are chosen when it connects; then there are as many for each peer.
        setsockopt(descriptor, Int32(IPPROTO_IP), 24, &on, 4)
        if kind == SOCK_DGRAM {
            var size: Int32 = 4 << 20
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
        } else {
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
        }
        var local = endpoint(address, 0)
        let bound = withUnsafePointer(to: &local) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, 16) }
        }
        guard bound == 0 else {
            let failure = Failure("bind")
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    /// A connection; where it does not block, one that is being made.
    static func connect(to server: sockaddr_in, from address: in_addr_t, blocking: Bool = false) throws -> Int32 {
        let descriptor = try open(SOCK_STREAM, from: address, blocking: blocking)
        let result = withUnsafePointer(to: server) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, 16) }
        }
        guard result == 0 || errno == EINPROGRESS else {
            let failure = Failure("connect")
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// Runs `body` on a thread of its own: the load generators wait in system calls.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        let thread = Thread { continuation.resume(with: Result(catching: body)) }
        thread.stackSize = 1 << 20
        thread.start()
    }
}
