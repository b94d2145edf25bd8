internal import CLinux
internal import Glibc
internal import NIOCore

/// What the kernel holds of a body that its client has not taken yet.
///
/// Its size: left to itself the kernel lets it grow to megabytes, which helps where the way is long only. For a client nearby all of
/// it has left the processor's caches when its turn comes, and costs twice as much to send; and a hundred clients have a gigabyte of
/// the machine's memory.
///
/// What leaves it: sendfile(2) hands over 64 KiB at a time, which is a little more than a segment holds, and on a connection that
/// does not wait (`TCP_NODELAY`) the rest goes out by itself, with a confirmation and perhaps a wake-up of its own. Held back
/// (`TCP_CORK`, tcp(7)), it goes with what follows.
enum SendQueue {
    /// Bytes to ask for; the kernel doubles them (socket(7)).
    static let size: Int32 = 128 << 10
    /// Bytes of a body from which on its queue is worth bounding.
    static let bounded: Int64 = 1 << 20
    /// Microseconds there and back of a way that is short: with all of the queue on its way, 4 Gbit/s for each client.
    static let near: Int64 = 500

    /// Bounds the queue of a connection whose client is near.
    /// - Parameters:
    ///   - channel: of a socket; others are left alone.
    ///   - roundTrip: tells how far a socket's peer is, in microseconds; negative where that is not known.
    static func bound(_ channel: any Channel, roundTrip: (Int32) -> Int64 = clinux_round_trip) {
        _ = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            guard (0...near).contains(roundTrip($0)) else { return }
            var size = size
            setsockopt($0, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout.size(ofValue: size)))
        }
    }

    /// Holds back what does not fill a segment, until it is released.
    static func hold(_ channel: any Channel) { setCork(channel, 1) }

    /// Sends what was held back, and holds back nothing more.
    static func release(_ channel: any Channel) { setCork(channel, 0) }

    private static func setCork(_ channel: any Channel, _ value: Int32) {
        _ = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            var value = value
            setsockopt($0, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout.size(ofValue: value)))
        }
    }
}
