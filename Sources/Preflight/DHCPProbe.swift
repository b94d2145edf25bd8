internal import CLinux
internal import Glibc
internal import Site

/// What could not be tried at all.
package struct PreflightError: Error, Equatable, Sendable, CustomStringConvertible {
    package let message: String
    package var description: String { message }

    static func system(_ what: String) -> PreflightError {
        PreflightError(message: "\(what): \(String(cString: strerror(errno)))")
    }
}

/// Asks the network's DHCP servers what they would give a machine. Nothing is taken: there is a DISCOVER and never a REQUEST.
/// Needs root, for the client's port and for a packet without an address.
struct DHCPProbe {
    let interface: String

    /// Every offer that comes in time.
    /// - Throws: `PreflightError`.
    func offers(_ question: DHCPMessage.Question, milliseconds: Int32) throws(PreflightError) -> [DHCPMessage] {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system("a socket for DHCP") }
        defer { close(descriptor) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_BROADCAST, &on, 4)
        // This machine may be a client of DHCP itself.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, 4)
        let name = Array(interface.utf8)
        guard setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, name, socklen_t(name.count)) == 0 else {
            throw .system("DHCP on \(interface)")
        }
        var local = Self.endpoint(INADDR_ANY, DHCPMessage.clientPort)
        guard Self.with(&local, { bind(descriptor, $0, $1) }) == 0 else {
            throw .system("UDP port \(DHCPMessage.clientPort), which DHCP answers to")
        }
        var server = Self.endpoint(INADDR_BROADCAST, DHCPMessage.serverPort)
        let packet = DHCPMessage.discover(question)
        guard Self.with(&server, { sendto(descriptor, packet, packet.count, 0, $0, $1) }) == packet.count else {
            throw .system("a DHCP question on \(interface)")
        }
        var offers: [DHCPMessage] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        let end = Self.now() + Int64(milliseconds)
        while true {
            // After the first answer the others have had time, too.
            let left = min(end - Self.now(), offers.isEmpty ? .max : 300)
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard left > 0, Glibc.poll(&poll, 1, Int32(left)) > 0 else { return offers }
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0, let offer = DHCPMessage(offer: Array(buffer[..<count])),
                offer.transaction == question.transaction, offer.mac == question.mac, !offers.contains(offer)
            else { continue }
            offers.append(offer)
        }
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    static func endpoint(_ address: UInt32, _ port: UInt16) -> sockaddr_in {
        var endpoint = sockaddr_in()
        endpoint.sin_family = sa_family_t(AF_INET)
        endpoint.sin_addr.s_addr = address.bigEndian
        endpoint.sin_port = port.bigEndian
        return endpoint
    }

    static func with<Result>(
        _ endpoint: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        withUnsafePointer(to: &endpoint) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}

/// What a DNS server says of a name.
enum NameQuestion {
    /// - Throws: `PreflightError` when it does not answer.
    static func addresses(of name: String, at server: IPv4Address) throws(PreflightError) -> [IPv4Address] {
        var found = [UInt32](repeating: 0, count: 8)
        let count = clinux_resolve(server.value.bigEndian, name, &found, Int32(found.count))
        guard count >= 0 else { throw PreflightError(message: "the DNS server \(server) does not answer") }
        return found.prefix(Int(count)).map { IPv4Address(value: UInt32(bigEndian: $0)) }
    }
}
