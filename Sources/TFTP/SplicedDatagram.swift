internal import CLinux
internal import Glibc

/// A datagram of a header and a piece of a file, which the kernel takes from its page cache as it is (sendfile(2)): of large blocks
/// the copies into a buffer and out of it are most of the work. It is put together in the socket while that is corked (udp(7),
/// `UDP_CORK`). Without, a file that has become shorter would go out as the short block that ends a transfer.
enum SplicedDatagram {
    /// From so many bytes on it costs less than to read and to send.
    static let minimum = 16 << 10
    /// With its header no datagram holds it.
    private static let tooMuch = 65_535
    /// `UDP_CORK`, which Glibc's module lacks.
    private static let corkOption: Int32 = 1

    /// Sends one, whole or not at all.
    /// - Parameters:
    ///   - header: its first bytes.
    ///   - file: an open file.
    ///   - offset: of the piece in the file.
    ///   - count: the piece's bytes, more than none.
    ///   - socket: UDP's, connected.
    ///   - buffer: has room for the largest datagram; its bytes are not changed.
    /// - Returns: false where nothing was sent: the socket has no room, the file is shorter, or the kernel does not do it right.
    static func send(
        _ header: (UInt8, UInt8, UInt8, UInt8), file: Int32, offset: Int64, count: Int, to socket: Int32,
        buffer: UnsafeMutableRawBufferPointer
    ) -> Bool {
        // Linux has summed up the pages of a datagram wrongly since 6.5 where one but the last gives an odd number of bytes
        // (skb_splice_from_iter): nobody would take it.
        guard offset.isMultiple(of: 2), cork(socket, 1) else { return false }
        // What waits is sent with it.
        defer { _ = cork(socket, 0) }
        var header = header
        let size = MemoryLayout.size(ofValue: header)
        var place = off_t(offset)
        let isWhole =
            Glibc.send(socket, &header, size, Int32(MSG_NOSIGNAL)) == size
            && sendfile(socket, file, &place, count) == count
        // The kernel drops what waits together with a piece that makes it too long.
        if !isWhole { _ = Glibc.send(socket, buffer.baseAddress, tooMuch, Int32(MSG_NOSIGNAL)) }
        return isWhole
    }

    private static func cork(_ socket: Int32, _ isCorked: Int32) -> Bool {
        var value = isCorked
        return setsockopt(socket, Int32(IPPROTO_UDP), corkOption, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
    }
}
