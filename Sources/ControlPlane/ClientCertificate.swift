internal import NIOCore
internal import NIOSSL
internal import ServerIdentity

/// The certificate that a client has shown, and that the listener's authority for clients has signed: the handshake would
/// have failed otherwise.
struct ClientCertificate: Hashable, Sendable {
    /// The common name of its subject.
    let name: String

    /// nil for a client that has shown none, and on a listener without TLS.
    static func of(_ channel: any Channel) async -> ClientCertificate? {
        guard
            let handler = try? await channel.pipeline.handler(type: NIOSSLServerHandler.self).map({ $0.peerCertificate }
            ).get(),
            let der = try? handler.toDERBytes()
        else { return nil }
        return ClientCertificate(name: ServerIdentity.commonName(der: der) ?? "unnamed")
    }
}
