internal import ArgumentParser
internal import ConfigurationFile
internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import Site
internal import Store
internal import UnixSignals

/// `provisioner authority`.
struct AuthorityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "authority", abstract: "Answer DNS and DHCP where the site file says so.",
        subcommands: [AuthorityServeCommand.self])
}

/// `provisioner authority serve`.
struct AuthorityServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run dnsmasq for every substrate whose authority is the provisioner.",
        discussion: """
            The part of the server that needs rights over the network, in a process of its own: it reads the site file,
            runs dnsmasq, and tells 'provisioner serve --authority-helper' what happens. It takes orders from nobody.
            """)

    @Option(help: "The site file.")
    var site = DefaultPath.site

    @Option(help: "A directory for dnsmasq's configuration and leases.")
    var state = DefaultPath.authorityState

    @Option(help: "The socket on which it tells what happens.")
    var observations = DefaultPath.observations

    @Option(help: "The port of the boot plane's HTTP listener.")
    var httpPort = 80

    @Option(help: AuthorityOption.help)
    var authority: [AuthorityOption] = []

    @Option(help: LogLevelOption.help)
    var logLevel = LogLevelOption(level: .info)

    func run() async throws {
        umask(0o027)
        signal(SIGPIPE, SIG_IGN)
        logLevel.bootstrap()
        let logger = Logger(label: "authority")
        let reading = SiteFile.read(site)
        for finding in reading.diagnostics where finding.severity == .error {
            logger.error("\(finding.rendered(file: site))")
        }
        guard let first = reading.site ?? SiteFile.none else { throw ExitCode.failure }
        if reading.site == nil { logger.error("\(site) cannot be used: no DNS and DHCP until it is mended") }
        let holder = SiteHolder(path: site, site: first, logger: logger) { _ in }
        for directory in [state, observations.parentDirectory] where !directory.isEmpty {
            _ = try SystemFileOperations().makeDirectory(directory)
        }
        let server = ObservationServer()
        let channel = try await server.bind(observations, group: .singletonMultiThreadedEventLoopGroup)
        defer { unlink(observations) }
        let services: [any ServiceLifecycle.Service] = [
            AuthorityService(
                options: authority, directory: state, httpPort: httpPort, site: { holder.current }, logger: logger,
                report: server.send),
            SiteWatcher(path: site, holder: holder),
        ]
        ServiceNotification.ready()
        logger.notice("ready: site revision \(holder.current.revision), reports on \(observations)")
        let group = ServiceGroup(
            configuration: .init(
                services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "services", factory: { _ in SwiftLogNoOpLogHandler() })))
        try await group.run()
        try? await channel.close()
    }
}
