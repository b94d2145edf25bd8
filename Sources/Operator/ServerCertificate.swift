internal import Artifacts
internal import Foundation
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// The certificate of a server's own authority, the last that it shows. Nothing is believed of it: the login that follows
/// proves whose it is.
struct ServerCertificate: Sendable {
    private static let timeout = TimeAmount.seconds(10)

    /// PEM.
    let text: String
    /// SHA-256 of its DER form.
    let fingerprint: Digest

    /// Shakes hands with a server, and hangs up.
    /// - Throws: `OperatorError` `unreachable`.
    static func fetch(host: String, port: Int) async throws -> ServerCertificate {
        let found = Mutex<NIOSSLCertificate?>(nil)
        let place = "https://\(host):\(port)"
        do {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.certificateVerification = .noHostnameVerification
            let context = try NIOSSLContext(configuration: configuration)
            let isName = (try? SocketAddress(ipAddress: host, port: port)) == nil
            let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connectTimeout(timeout)
                .connect(host: host, port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = try NIOSSLClientHandler(
                            context: context, serverHostname: isName ? host : nil,
                            customVerificationCallback: { chain, promise in
                                found.withLock { $0 = chain.last }
                                // Seen is enough: no byte of ours goes over this connection.
                                promise.succeed(.failed)
                            })
                        try channel.pipeline.syncOperations.addHandler(handler)
                        return channel
                    }
                }
            // A port that takes the connection and says nothing must not hold the command for ever.
            let limit = channel.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
            try? await channel.closeFuture.get()
            limit.cancel()
        } catch {
            throw OperatorError(.unreachable, "no server at \(place): is it running, and is the address right?")
        }
        guard let certificate = found.withLock({ $0 }), let der = try? certificate.toDERBytes() else {
            throw OperatorError(
                .unreachable, "\(place) shows no certificate: is it the control plane of a provisioner?")
        }
        let lines = Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        return ServerCertificate(
            text: "-----BEGIN CERTIFICATE-----\n\(lines)\n-----END CERTIFICATE-----\n",
            fingerprint: SHA256.digest(of: der))
    }
}
