internal import NIOCore

/// Who is at the other end, of either family: an IPv4 client is the same one on an IPv6 socket.
struct ClientAddress: Hashable {
    /// An IPv6 address, or an IPv4 one mapped to it, as two numbers; zero where there is none.
    private let high: UInt64
    private let low: UInt64

    private static let mappedPrefix: UInt64 = 0xffff << 32

    init(_ address: SocketAddress?) {
        // By the layout of `sockaddr_in` and `sockaddr_in6`: two numbers of two bytes, then the address; or one of four first.
        (high, low) =
            address?.withSockAddr { pointer, _ in
                let bytes = UnsafeRawPointer(pointer)
                func word(_ offset: Int) -> UInt64 {
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                }
                switch address {
                case .v4: return (0, Self.mappedPrefix | word(0) & 0xffff_ffff)
                case .v6: return (word(8), word(16))
                default: return (0, 0)
                }
            } ?? (0, 0)
    }

    /// In host byte order; nil where it is of IPv6.
    var ipv4: UInt32? { high == 0 && low >> 32 == 0xffff ? UInt32(truncatingIfNeeded: low) : nil }
}
