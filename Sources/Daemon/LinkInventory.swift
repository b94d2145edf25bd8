internal import Appliance
internal import Glibc
internal import Site
internal import Store

/// The network cards of this machine: those that are hardware, or a virtual machine's, and no bridges or tunnels.
enum LinkInventory {
    private static let folder = "/sys/class/net"

    static func read() -> [NetworkLink] {
        let addresses = addressesByInterface()
        return DirectoryListing.names(folder).compactMap { name in
            // A device behind it tells a card from what software made.
            guard access("\(folder)/\(name)/device", F_OK) == 0,
                let mac = text(name, "address").flatMap({ MACAddress($0) })
            else { return nil }
            let carrier = text(name, "carrier").map { $0 == "1" }
            return NetworkLink(name: name, mac: mac, hasCarrier: carrier, addresses: addresses[name] ?? [])
        }
    }

    private static func text(_ name: String, _ file: String) -> String? {
        // A card that is switched off answers `carrier` with an error.
        SmallFile.read("\(folder)/\(name)/\(file)", limit: 128).map { bytes in
            String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        }
    }

    /// IPv4 before IPv6, each with its prefix length.
    private static func addressesByInterface() -> [String: [String]] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [:] }
        defer { freeifaddrs(list) }
        var first: [String: [String]] = [:]
        var second: [String: [String]] = [:]
        var entry = list
        while let current = entry?.pointee {
            entry = current.ifa_next
            guard let address = current.ifa_addr, let mask = current.ifa_netmask,
                let text = numeric(address)
            else { continue }
            let name = String(cString: current.ifa_name)
            switch Int32(address.pointee.sa_family) {
            case AF_INET:
                let bits = mask.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    $0.pointee.sin_addr.s_addr.nonzeroBitCount
                }
                first[name, default: []].append("\(text)/\(bits)")
            case AF_INET6:
                let bits = mask.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
                    withUnsafeBytes(of: pointer.pointee.sin6_addr) { $0.reduce(0) { $0 + $1.nonzeroBitCount } }
                }
                second[name, default: []].append("\(text.prefix { $0 != "%" })/\(bits)")
            default: continue
            }
        }
        return first.merging(second) { $0 + $1 }
    }

    private static func numeric(_ address: UnsafeMutablePointer<sockaddr>) -> String? {
        let length: Int
        switch Int32(address.pointee.sa_family) {
        case AF_INET: length = MemoryLayout<sockaddr_in>.size
        case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        var text = [CChar](repeating: 0, count: 128)
        guard getnameinfo(address, socklen_t(length), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 else {
            return nil
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
