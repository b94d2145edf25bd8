internal import CLinux
internal import Glibc

/// A UDP address.
package struct DatagramEndpoint: Sendable, Hashable {
    let storage: sockaddr_storage
    let length: socklen_t

    init(storage: sockaddr_storage, length: socklen_t) {
        self.storage = storage
        self.length = length
    }

    init(remoteOf addresses: clinux_datagram_addresses) {
        storage = withUnsafeBytes(of: addresses.remote) { $0.loadUnaligned(as: sockaddr_storage.self) }
        length = addresses.remote_length
    }

    init(localOf addresses: clinux_datagram_addresses) {
        storage = withUnsafeBytes(of: addresses.local) { $0.loadUnaligned(as: sockaddr_storage.self) }
        length = addresses.local_length
    }

    /// From a numeric IPv4 or IPv6 address; nil for anything else.
    package init?(host: String, port: UInt16) {
        var storage = sockaddr_storage()
        var v4 = sockaddr_in()
        var v6 = sockaddr_in6()
        if inet_pton(AF_INET, host, &v4.sin_addr) == 1 {
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &storage) { target in withUnsafeBytes(of: v4) { target.copyMemory(from: $0) } }
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
        } else if inet_pton(AF_INET6, host, &v6.sin6_addr) == 1 {
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &storage) { target in withUnsafeBytes(of: v6) { target.copyMemory(from: $0) } }
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        } else {
            return nil
        }
        self.storage = storage
    }

    var family: Int32 { Int32(storage.ss_family) }

    /// The numeric address without port.
    package var host: String {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let result = withSocketAddress { getnameinfo($0, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) }
        guard result == 0 else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package var port: UInt16 {
        withUnsafeBytes(of: storage) { UInt16($0[2]) << 8 | UInt16($0[3]) }
    }

    /// The IPv4 address in host byte order, also of a client of an IPv6 socket (`::ffff:10.0.0.1`, RFC 4291 section 2.5.5.2); nil
    /// where it is of IPv6. Without a text: a flood asks for a hundred thousand in a second.
    package var ipv4: UInt32? {
        withUnsafeBytes(of: storage) { bytes in
            // `sockaddr_in` has it after family and port; `sockaddr_in6` four bytes later, and is longer.
            func word(_ offset: Int) -> UInt32 {
                UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            }
            switch family {
            case AF_INET: return word(4)
            case AF_INET6 where word(8) == 0 && word(12) == 0 && word(16) == 0xffff: return word(20)
            default: return nil
            }
        }
    }

    /// The same address with another port; 0: any free one.
    func with(port: UInt16) -> DatagramEndpoint {
        var copy = storage
        withUnsafeMutableBytes(of: &copy) {
            $0[2] = UInt8(port >> 8)
            $0[3] = UInt8(truncatingIfNeeded: port)
        }
        return DatagramEndpoint(storage: copy, length: length)
    }

    func withSocketAddress<Value>(_ body: (UnsafePointer<sockaddr>) -> Value) -> Value {
        withUnsafePointer(to: storage) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body) }
    }

    package static func == (lhs: DatagramEndpoint, rhs: DatagramEndpoint) -> Bool {
        lhs.length == rhs.length
            && withUnsafeBytes(of: lhs.storage) { left in
                withUnsafeBytes(of: rhs.storage) { right in
                    guard let one = left.baseAddress, let other = right.baseAddress else { return false }
                    return memcmp(one, other, Int(lhs.length)) == 0
                }
            }
    }

    package func hash(into hasher: inout Hasher) {
        withUnsafeBytes(of: storage) { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0.prefix(Int(length)))) }
    }
}
