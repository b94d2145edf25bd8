package import ArgumentParser
internal import BootSigning
internal import ConfigurationFile
internal import ControlAPI
internal import ControlPlane
internal import Glibc
internal import Logging
internal import Site
internal import Store
internal import TFTP

/// `provisioner serve`.
package struct ServeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the server.",
        discussion: """
            SIGTERM ends it after running transfers had a moment; SIGHUP, or a change of the site file, reloads that
            file. A site file with an error is reported and the one in use stays.
            Operators on the network log in once with 'artifactctl login'; the code for it is shown on the console, or
            made by 'artifactctl login-code' on this machine.
            """)

    @Option(help: "The site file.")
    var site = DefaultPath.site

    @Option(help: "The data directory: artifacts, catalog, timelines.")
    var data = DefaultPath.data

    @Option(help: "Where machines boot from over HTTP.")
    var bootHttp = ListenAddress(host: "0.0.0.0", port: 80)

    @Option(
        help:
            "A TCP address for the same over HTTPS, with the server's own certificate ('artifactctl certificate' gives its authority's)."
    )
    var bootHttps: ListenAddress?

    @Option(help: "Where machines boot from over TFTP.")
    var tftp = ListenAddress(host: "0.0.0.0", port: 69)

    @Option(
        help: ArgumentHelp(
            "The server's ports of TFTP transfers, for a firewall: FIRST-LAST, or 'single' for the one that is listened on (default: any).",
            valueName: "ports"))
    var tftpPorts = TransferPorts.any

    @Option(
        help:
            "The largest TFTP block, 512 to 65464, for networks that carry less than the MTU says; of one host: 'tftp_blksize' in the site file."
    )
    var tftpBlksize: Int?

    @Option(help: "Where machines send syslog, over UDP and TCP.")
    var syslog = ListenAddress(host: "0.0.0.0", port: 514)

    @Option(
        help:
            "A TCP address for the control plane: HTTPS with the server's own certificate, and plain HTTP on a loopback address."
    )
    var control: ListenAddress?

    @Option(help: "The control plane's local socket.")
    var controlSocket = DefaultPath.controlSocket

    @Option(help: "A file whose first line is a bearer token that opens the control plane over TCP.")
    var tokenFile: String?

    @Option(help: "PEM certificates of the authority that signs clients' certificates: those need no token.")
    var clientCa: String?

    @Option(help: "What clients with such a certificate may do, as 'debian/*:pull,push'; more than once for more.")
    var clientScope: [String] = []

    @Option(help: "Boot loaders: a directory with undionly.kpxe, snponly.efi, ipxe.efi.")
    var loaders = DefaultPath.loaders

    @Option(help: AuthorityOption.help)
    var authority: [AuthorityOption] = []

    @Option(
        help: ArgumentHelp(
            "The socket of 'provisioner authority serve', which then answers DNS and DHCP; without it this process does.",
            valueName: "socket"))
    var authorityHelper: String?

    @Option(help: "A file for 'provisioner appliance console', with all that it shows.")
    var statusFile: String?

    @Flag(
        help:
            "Without a usable site file, serve the control plane alone, and end once there is one, to be started again."
    )
    var controlOnlyWithoutSite = false

    @Option(help: "Megabytes of the disk that uploads leave free (default: 1024 or 2 %, whichever is more).")
    var reserve: Int?

    @Option(help: "Hours that a blob which no version lists is kept for whoever may be pushing it.")
    var gcGrace = 24

    @Option(help: "Hours that the trash keeps what a collection took.")
    var gcTrash = 24

    @Option(help: "Megabytes that are compared with their digests in a second, all day; 0 for none.")
    var scrubRate = 8

    @Option(
        help: ArgumentHelp(
            """
            The boot key on a PKCS #11 token, as 'pkcs11:token=LABEL;object=LABEL?module-path=/PATH&pin-source=file:/PATH'; \
            without it the key is in the data directory.
            """, valueName: "uri"))
    var bootKey: String?

    @Option(help: LogLevelOption.help)
    var logLevel = LogLevelOption(level: .info)

    package init() {}

    package func validate() throws {
        if authorityHelper != nil, !authority.isEmpty {
            throw ValidationError(
                "--authority belongs to 'provisioner authority serve' when there is --authority-helper")
        }
        for (name, hours) in [("--gc-grace", gcGrace), ("--gc-trash", gcTrash)] where !(0...24 * 366).contains(hours) {
            throw ValidationError("\(name) \(hours): 0 to \(24 * 366) hours are possible")
        }
        if let tftpBlksize, !TransferParameters.blockSizes.contains(tftpBlksize) {
            throw ValidationError("--tftp-blksize \(tftpBlksize): 512 to 65464 are possible")
        }
        guard (0...10_000).contains(scrubRate) else {
            throw ValidationError("--scrub-rate \(scrubRate): 0 to 10000 megabytes are possible")
        }
        guard (clientCa == nil) == clientScope.isEmpty else {
            throw ValidationError(
                "--client-ca and --client-scope belong together: whose certificates, and what they may do")
        }
        do { _ = try bootKey.map { try TokenURI($0) } } catch { throw ValidationError("--boot-key: \(error)") }
        do { for text in clientScope { _ = try AccessScope(text) } } catch { throw ValidationError("\(error)") }
        if let reserve, !(0...1 << 30).contains(reserve) {
            throw ValidationError("--reserve must be 0 to \(1 << 30) megabytes")
        }
    }

    package func run() async throws {
        umask(0o077)
        signal(SIGPIPE, SIG_IGN)
        FileDescriptorLimit.raise()
        logLevel.bootstrap()
        let reading = SiteFile.read(site)
        for finding in reading.diagnostics where finding.severity != .info {
            StandardError.write(finding.rendered(file: site))
        }
        var problems: [String] = []
        if reading.site == nil {
            guard controlOnlyWithoutSite else { throw ExitCode.failure }
            problems = reading.diagnostics.filter { $0.severity == .error }.map { $0.rendered(file: site) }
        }
        guard let firstSite = reading.site ?? SiteFile.none else { throw ExitCode.failure }
        for option in authority where reading.site != nil && firstSite.substrate(option.substrate) == nil {
            let known = firstSite.substrates.map(\.name).joined(separator: ", ")
            throw ValidationError("--authority: the site file has no substrate '\(option.substrate)'; it has: \(known)")
        }
        let token = try tokenFile.map { path in
            guard let content = SmallFile.read(path, limit: 4096) else {
                throw ValidationError("--token-file \(path) cannot be read: does it exist?")
            }
            guard let token = Authorization.Token(fileContent: content) else {
                throw ValidationError("--token-file \(path): the first line must hold at least 16 visible characters")
            }
            return token
        }
        let configuration = DaemonConfiguration(
            sitePath: site, dataPath: data.absolutePath, bootHTTP: bootHttp, bootHTTPS: bootHttps, tftp: tftp,
            tftpPorts: tftpPorts,
            tftpBlockSize: tftpBlksize, syslog: syslog,
            control: control, controlSocket: controlSocket, token: token, statusFile: statusFile,
            authorityHelper: authorityHelper, loadersPath: loaders, authority: authority,
            reserve: reserve.map { Int64($0) << 20 }, clientAuthority: clientCa,
            clientScopes: try clientScope.map { try AccessScope($0) }, collection: collection,
            scrubRate: Int64(scrubRate) << 20, bootKey: try bootKey.map { try TokenURI($0) })
        try await DaemonAssembly(configuration: configuration, site: firstSite, siteProblems: problems).run()
    }
}

extension ServeCommand {
    private var collection: CollectionRules {
        var rules = CollectionRules()
        rules.grace = Int64(gcGrace) * 3600
        rules.trashTime = Int64(gcTrash) * 3600
        return rules
    }
}

extension String {
    /// Against the working directory when it is relative.
    fileprivate var absolutePath: String {
        guard !hasPrefix("/"), let directory = getcwd(nil, 0) else { return self }
        defer { free(directory) }
        return String(cString: directory) + "/" + self
    }
}

/// The number of descriptors that the program may hold.
enum FileDescriptorLimit {
    /// As far as the system allows: every transfer holds two.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
