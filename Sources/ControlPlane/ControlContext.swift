package import Hummingbird
internal import NIOCore

/// A request with the connection that it came over: who is at the other end.
package struct ControlContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// The client's address, for counting failures; one text for all clients of a local socket.
    var clientAddress: String { channel.remoteAddress?.ipAddress ?? "local" }
}
