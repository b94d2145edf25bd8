internal import Authority
internal import Foundation
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Tells whoever connects to a socket what the authority does: the states of all substrates at once, then every report
/// as it comes. It only speaks: what a client sends is thrown away unread.
final class ObservationServer: Sendable {
    /// A client that has this much waiting does not read: it is cut off and may come again.
    private static let backlogLimit = 4 << 20

    private struct State {
        var clients: [ObjectIdentifier: any Channel] = [:]
        var states = AuthorityReport(states: [])
    }

    private let state = Mutex(State())

    /// Listens until the channel is closed; members of the socket's group may connect.
    func bind(_ path: String, group: any EventLoopGroup) async throws -> any Channel {
        try ControlSocket.clear(path)
        let channel = try await ServerBootstrap(group: group)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(low: Self.backlogLimit / 2, high: Self.backlogLimit)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { self.welcome(channel) }
            }
            .bind(unixDomainSocketPath: path).get()
        chmod(path, 0o660)
        return channel
    }

    func send(_ report: AuthorityReport) {
        guard let line = Self.line(report) else { return }
        // Under the lock that hands the states to newcomers: none misses a change, and all see changes in their order. The
        // calls only queue, since nobody calls this on the clients' event loops.
        state.withLock { state in
            if report.states != nil { state.states = report }
            for client in state.clients.values {
                if client.isWritable {
                    client.writeAndFlush(line, promise: nil)
                } else {
                    client.close(promise: nil)
                }
            }
        }
    }

    private func welcome(_ channel: any Channel) {
        let key = ObjectIdentifier(channel)
        let greeting = state.withLock { state in
            state.clients[key] = channel
            return state.states
        }
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.clients[key] = nil } }
        if let line = Self.line(greeting) { channel.writeAndFlush(line, promise: nil) }
    }

    private static func line(_ report: AuthorityReport) -> ByteBuffer? {
        guard let json = try? JSONEncoder().encode(report) else { return nil }
        return ByteBuffer(bytes: Array(json) + [UInt8(ascii: "\n")])
    }
}
