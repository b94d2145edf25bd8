internal import CLinux
internal import Glibc
internal import NIOCore

/// What the kernel holds of a body that its client has not taken yet. Left to itself it lets that grow to megabytes, which helps
/// where the way is long only: for a client nearby all of it has left the processor's caches when its turn comes, and costs twice as
/// much to send; and a hundred clients have a gigabyte of the machine's memory. Of many clients the queues outgrow the caches
/// however short they are, and longer ones wake each of them less often.
enum SendQueue {
    /// Bytes to ask for; the kernel doubles them (socket(7)).
    static let size: Int32 = 128 << 10
    /// The same where there are many.
    static let sizeOfMany: Int32 = 256 << 10
    /// Bodies that are sent at once, from which on they are many: together 24 MiB.
    static let many = 96
    /// Microseconds there and back of a way that is short: with all of the queue on its way, 4 Gbit/s for each client.
    static let near: Int64 = 500

    /// Bounds the queue of a connection whose client is near.
    /// - Parameters:
    ///   - channel: of a socket; others are left alone.
    ///   - transfers: bodies that are being sent, this one with them.
    ///   - roundTrip: tells how far a socket's peer is, in microseconds; negative where that is not known.
    static func bound(_ channel: any Channel, transfers: Int, roundTrip: (Int32) -> Int64 = clinux_round_trip) {
        _ = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            guard (0...near).contains(roundTrip($0)) else { return }
            var size = transfers < many ? size : sizeOfMany
            setsockopt($0, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout.size(ofValue: size)))
        }
    }
}
