internal import Artifacts
internal import CLinux
internal import Glibc
internal import Site

/// Loads one file as a network card's firmware does: TFTP in lock-step (RFC 1350), with a size and a block size (RFC 2348, 2349).
struct TFTPProbe {
    let server: IPv4Address
    let port: UInt16

    private static let blockSize = 1468
    /// Milliseconds until a packet is repeated, and how often that is tried.
    private static let patience: Int32 = 1000
    private static let attempts = 5
    /// No loader is larger.
    private static let limit = 512 << 20

    /// - Throws: `PreflightError` with what the server or the network did.
    func fetch(_ path: String) throws(PreflightError) -> (size: Int64, digest: Digest) {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system("a socket for TFTP") }
        defer { close(descriptor) }
        let hash: SHA256
        do { hash = try SHA256() } catch { throw PreflightError(message: "\(error)") }
        var remote = DHCPProbe.endpoint(server.value, port)
        var packet: [UInt8] = [0, 1]
        for word in [path, "octet", "tsize", "0", "blksize", String(Self.blockSize)] {
            packet += Array(word.utf8) + [0]
        }
        var buffer = [UInt8](repeating: 0, count: 65536)
        var (block, size, blockSize, isConnected) = (UInt16(1), Int64(0), 512, false)
        while size < Self.limit {
            let count = try exchange(descriptor, packet, &remote, isConnected, block, &buffer)
            isConnected = true
            switch buffer[1] {
            case 6:
                let words = buffer[2..<count].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
                for (name, value) in zip(words, words.dropFirst()) where name.lowercased() == "blksize" {
                    blockSize = Int(value) ?? blockSize
                }
                packet = [0, 4, 0, 0]
            case 3:
                buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[4..<count])) }
                size += Int64(count - 4)
                packet = [0, 4, UInt8(block >> 8), UInt8(block & 255)]
                if count - 4 < blockSize {
                    _ = DHCPProbe.with(&remote) { sendto(descriptor, packet, packet.count, 0, $0, $1) }
                    return (size, hash.finish())
                }
                block &+= 1
            default:
                let text = String(decoding: buffer[4..<count].prefix { $0 != 0 }, as: UTF8.self)
                throw PreflightError(message: "the server refuses it: \(text)")
            }
        }
        throw PreflightError(message: "it does not end")
    }

    /// Sends a packet until the next block comes, or an OACK or ERROR.
    private func exchange(
        _ descriptor: Int32, _ packet: [UInt8], _ remote: inout sockaddr_in, _ isConnected: Bool, _ block: UInt16,
        _ buffer: inout [UInt8]
    ) throws(PreflightError) -> Int {
        for _ in 0..<Self.attempts {
            _ = DHCPProbe.with(&remote) { sendto(descriptor, packet, packet.count, 0, $0, $1) }
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            while Glibc.poll(&poll, 1, Self.patience) > 0 {
                var sender = sockaddr_in()
                var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                let count = withUnsafeMutablePointer(to: &sender) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
                    }
                }
                // From the address that was asked, as firmware demands, and later from the one port.
                guard count >= 4, sender.sin_addr.s_addr == remote.sin_addr.s_addr,
                    !isConnected || sender.sin_port == remote.sin_port
                else { continue }
                if buffer[1] == 3, UInt16(buffer[2]) << 8 | UInt16(buffer[3]) != block { continue }
                remote.sin_port = sender.sin_port
                return count
            }
        }
        throw PreflightError(message: "no answer from \(server) port \(port)")
    }
}
