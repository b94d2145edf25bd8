internal import BootPlane
internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import ServiceLifecycle
internal import Store
internal import TFTP

/// The boot plane's listeners: HTTP, TFTP, syslog.
struct BootServices {
    /// What DHCP tells machines to load.
    private static let loaders = ["undionly.kpxe", "snponly.efi", "ipxe.efi"]

    let configuration: DaemonConfiguration
    let backend: DaemonBackend
    let pacer: BootPacer
    let logger: Logger

    /// Binds every address; names the option and the address that cannot be had.
    func make(
        _ group: MultiThreadedEventLoopGroup, questions: MultiThreadedEventLoopGroup, readers: NIOThreadPool,
        bodies: BodyLoops
    ) async throws -> [any ServiceLifecycle.Service] {
        let namespace = BootNamespace(backend: backend, pacer: pacer)
        let transfers = ActiveTransfers()
        let listeners = BootListeners(
            group: group, questions: questions, readers: readers, bodies: bodies, namespace: namespace,
            transfers: transfers, logger: logger)
        var channels = [
            try await bind("--boot-http", configuration.bootHTTP) {
                try await listeners.bindHTTP(host: $0.host, port: $0.port)
            },
            try await bind("--syslog", configuration.syslog) {
                try await listeners.bindSyslog(host: $0.host, port: $0.port)
            },
            try await bind("--syslog", configuration.syslog) {
                try await listeners.bindSyslogStream(host: $0.host, port: $0.port)
            },
        ]
        if let address = configuration.bootHTTPS {
            let identity = try ServerIdentityFiles.loadOrMake(in: configuration.dataPath)
            let tls = try NIOSSLContext(
                configuration: ServerTLS.configuration(identity, names: ServerNames.all(in: backend.site.current)))
            channels.append(
                try await bind("--boot-https", address) {
                    try await listeners.bindHTTPS(host: $0.host, port: $0.port, tls: tls)
                })
        }
        let tftp = try TFTPServer(
            listen: [configuration.tftp].compactMap { DatagramEndpoint(host: $0.host, port: UInt16($0.port)) },
            service: BootTFTPService(
                namespace: namespace, blockSizeLimit: configuration.tftpBlockSize, logger: logger),
            ports: configuration.tftpPorts)
        for name in Self.loaders where backend.loaderPath(name).map({ SmallFile.read($0, limit: 0) == nil }) != false {
            logger.warning(
                "--loaders \(configuration.loadersPath) has no \(name): install the package ipxe, or machines stop there"
            )
        }
        return [BootListenerService(channels: channels, transfers: transfers), TFTPServiceRunner(server: tftp)]
    }

    private func bind(
        _ option: String, _ address: ListenAddress, _ body: (ListenAddress) async throws -> any Channel
    ) async throws -> any Channel {
        do {
            return try await body(address)
        } catch let error as IOError {
            let reason = String(cString: strerror(error.errnoCode))
            throw ValidationFailure("\(option) \(address): \(reason): 'ss -lntup' tells which program has it")
        }
    }
}
