internal import CLinux
internal import Glibc

/// Which ports of the server transfers use. A port of its own for each is what RFC 1350 section 4 says; the others are for
/// firewalls and address translation that cannot follow it.
package enum TransferPorts: Sendable, Hashable {
    /// Any that the kernel gives.
    case any
    /// One of these, each for one transfer at a time.
    case range(ClosedRange<UInt16>)
    /// The port that the request came to: the kernel tells transfers apart by the client's address and port.
    case single
}

/// Opens the sockets of transfers on the ports that they may use.
struct TransferSockets {
    private let ports: TransferPorts
    /// The port of a range that is tried first: the one after the last that was taken, so that a late packet of an ended
    /// transfer rarely meets a new one.
    private var next: UInt16 = 0

    init(_ ports: TransferPorts) {
        self.ports = ports
        if case .range(let range) = ports { next = range.lowerBound }
    }

    /// A socket connected to the client, which does not block; nil when the kernel refuses or no port is left.
    /// - Parameters:
    ///   - remote: the client.
    ///   - local: the address that the client asked, of any port.
    ///   - listening: the port that it asked.
    /// - Returns: the descriptor, the caller's to close.
    mutating func open(to remote: DatagramEndpoint, from local: DatagramEndpoint, listening: UInt16) -> Int32? {
        let descriptor = socket(
            remote.family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        guard bind(descriptor, local, listening),
            remote.withSocketAddress({ connect(descriptor, $0, remote.length) }) == 0
        else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private mutating func bind(_ descriptor: Int32, _ local: DatagramEndpoint, _ listening: UInt16) -> Bool {
        func bind(_ port: UInt16) -> Bool {
            let endpoint = local.with(port: port)
            return endpoint.withSocketAddress { Glibc.bind(descriptor, $0, endpoint.length) } == 0
        }
        switch ports {
        case .any: return bind(0)
        case .single:
            Self.share(descriptor)
            return bind(listening)
        case .range(let range):
            for _ in range {
                let port = next
                next = port == range.upperBound ? range.lowerBound : port + 1
                if bind(port) { return true }
                guard errno == EADDRINUSE else { return false }
            }
            return false
        }
    }

    /// Lets sockets of this kind have one port together (ip(7)); all of them must say so.
    static func share(_ descriptor: Int32) {
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    }
}
