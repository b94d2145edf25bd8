internal import Authority
internal import Foundation
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle

/// Reads what the authority's process reports on its socket, and connects again when it is gone.
struct ObservationListener: ServiceLifecycle.Service {
    /// Longer lines are no reports.
    private static let lineLimit = 256 << 10

    let path: String
    let group: any EventLoopGroup
    let states: AuthorityStates
    let notes: DHCPNotes
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            states.lose("waiting for the process that answers DNS and DHCP (provisioner-authority)")
            var isFirstFailure = true
            while !Task.isCancelled {
                do {
                    try await listen { isFirstFailure = true }
                } catch {
                    if isFirstFailure { logger.debug("\(path): \(error)") }
                }
                if Task.isCancelled { break }
                if isFirstFailure { logger.warning("\(path): the authority's process does not answer; trying again") }
                isFirstFailure = false
                states.lose("the process that answers DNS and DHCP (provisioner-authority) does not answer")
                guard (try? await Task.sleep(for: .seconds(1))) != nil else { break }
            }
        }
    }

    private func listen(connected: () -> Void) async throws {
        let channel = try await ClientBootstrap(group: group).connect(unixDomainSocketPath: path) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        connected()
        logger.info("\(path): connected to the authority's process")
        try await channel.executeThenClose { inbound, _ in
            var rest: [UInt8] = []
            for try await chunk in inbound {
                rest += chunk.readableBytesView
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    take(Data(rest[..<end]))
                    rest.removeSubrange(...end)
                }
                guard rest.count <= Self.lineLimit else { return }
            }
        }
    }

    private func take(_ line: Data) {
        guard let report = try? JSONDecoder().decode(AuthorityReport.self, from: line) else {
            return logger.warning("\(path): a line is no report")
        }
        if let list = report.states { states.replace(list) }
        if let observation = report.exchange.flatMap({ DHCPObservation($0) }) { notes.note(observation) }
    }
}
