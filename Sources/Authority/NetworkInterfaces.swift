internal import Glibc
package import Site

/// The machine's own addresses.
package enum NetworkInterfaces {
    /// The name of the interface that has an address; nil when none has it.
    package static func name(having address: IPv4Address) -> String? {
        all().first { $0.address == address }?.name
    }

    /// The name of an interface with an address in a network; nil when there is none.
    package static func name(in network: IPv4Network) -> String? {
        all().first { network.contains($0.address) }?.name
    }

    package static var addresses: [IPv4Address] { all().map(\.address) }

    private static func all() -> [(name: String, address: IPv4Address)] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var found: [(name: String, address: IPv4Address)] = []
        var entry = list
        while let current = entry {
            if let socketAddress = current.pointee.ifa_addr, socketAddress.pointee.sa_family == AF_INET {
                let value = socketAddress.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    $0.pointee.sin_addr.s_addr
                }
                found.append((String(cString: current.pointee.ifa_name), IPv4Address(value: UInt32(bigEndian: value))))
            }
            entry = current.pointee.ifa_next
        }
        return found
    }
}

/// Resolvers for names outside the site.
package enum UpstreamResolvers {
    /// The IPv4 resolvers of a `resolv.conf`, without loopback, 0.0.0.0 (which means loopback) and the machine's own
    /// addresses: asking itself would forward every unknown name in a circle.
    package static func read(_ text: String, excluding own: [IPv4Address]) -> [IPv4Address] {
        var found: [IPv4Address] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 2, words[0] == "nameserver", let address = IPv4Address(words[1]),
                ![0, 127].contains(address.value >> 24), !own.contains(address), !found.contains(address)
            else { continue }
            found.append(address)
        }
        return found
    }
}
