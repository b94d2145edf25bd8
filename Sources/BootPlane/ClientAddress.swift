internal import Glibc
internal import NIOCore

/// Who is at the other end, of either family: an IPv4 client is the same one on an IPv6 socket.
struct ClientAddress: Hashable {
    /// An IPv6 address, or an IPv4 one mapped to it, as two numbers; zero where there is none.
    private let high: UInt64
    private let low: UInt64

    private static let mappedPrefix: UInt64 = 0xffff << 32

    init(_ address: SocketAddress?) {
        self =
            address?.withSockAddr { pointer, _ in
                ClientAddress(UnsafeRawPointer(pointer), Int32(pointer.pointee.sa_family))
            }
            ?? ClientAddress(high: 0, low: 0)
    }

    /// As accept(2) tells it.
    init(_ address: sockaddr_storage) {
        self = withUnsafeBytes(of: address) { bytes in
            bytes.baseAddress.map { ClientAddress($0, Int32(address.ss_family)) } ?? ClientAddress(high: 0, low: 0)
        }
    }

    private init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

    /// By the layout of `sockaddr_in` and `sockaddr_in6`: two numbers of two bytes, then the address; or one of four first.
    private init(_ bytes: UnsafeRawPointer, _ family: Int32) {
        func word(_ offset: Int) -> UInt64 {
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        switch family {
        case AF_INET: (high, low) = (0, Self.mappedPrefix | word(0) & 0xffff_ffff)
        case AF_INET6: (high, low) = (word(8), word(16))
        default: (high, low) = (0, 0)
        }
    }

    /// In host byte order; nil where it is of IPv6.
    var ipv4: UInt32? { high == 0 && low >> 32 == 0xffff ? UInt32(truncatingIfNeeded: low) : nil }
}
