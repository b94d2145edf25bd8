internal import ControlPlane
internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
internal import Logging
internal import NIOSSL
internal import ServerIdentity
internal import ServiceLifecycle
internal import Site
internal import Store

/// The control plane's listeners: the local socket, and TCP where asked.
struct ControlListeners {
    let configuration: DaemonConfiguration
    let services: ControlServices
    /// Of the listener on the network; nil without one.
    let identity: ServerIdentity?
    /// What clients may call it by.
    let names: [String]
    let readiness: Readiness

    func make() throws -> [any ServiceLifecycle.Service] {
        let socket = configuration.controlSocket
        let directory = socket.parentDirectory
        if !directory.isEmpty { _ = try SystemFileOperations().makeDirectory(directory) }
        try ControlSocket.clear(socket)
        var listeners: [any ServiceLifecycle.Service] = [
            listener(.unixDomainSocket(path: socket), .socket, plain)
        ]
        guard let control = configuration.control else { return listeners }
        let address = BindAddress.hostname(control.host, port: control.port)
        if let identity, let access = services.access {
            listeners.append(
                listener(
                    address,
                    .operators(access, configuration.token, certificates: configuration.clientScopes),
                    try encrypted(identity)))
        } else {
            listeners.append(listener(address, configuration.token.map { .token($0) } ?? .loopback, plain))
        }
        return listeners
    }

    /// Requests may take as long as they take; a client that says nothing for so long is gone.
    private var plain: HTTPServerBuilder {
        .http1(configuration: .init(additionalChannelHandlers: [LargeReads()], idleTimeout: .seconds(120)))
    }

    private func encrypted(_ identity: ServerIdentity) throws -> HTTPServerBuilder {
        var tls = try ServerTLS.configuration(identity, names: names)
        if let path = configuration.clientAuthority {
            do {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(path))
            } catch {
                throw ValidationFailure("--client-ca \(path): it holds no certificates in PEM form")
            }
            // Who shows none may still have a token.
            tls.certificateVerification = .optionalVerification
        }
        return try .tls(plain, tlsConfiguration: tls)
    }

    private func listener(
        _ address: BindAddress, _ authorization: Authorization, _ server: HTTPServerBuilder
    ) -> Application<ControlResponder> {
        var quiet = Logger(label: "control")
        quiet.logLevel = .warning
        return Application(
            responder: ControlResponder(services: services, authorization: authorization), server: server,
            configuration: .init(address: address, serverName: "provisioner"),
            onServerRunning: { [readiness] _ in await readiness.listenerIsUp() }, logger: quiet)
    }
}
