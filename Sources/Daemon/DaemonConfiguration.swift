internal import BootSigning
internal import ControlAPI
internal import ControlPlane
internal import Store
internal import TFTP

/// Everything the daemon is told from outside: values only.
struct DaemonConfiguration: Sendable {
    var sitePath: String
    /// Absolute.
    var dataPath: String
    var bootHTTP: ListenAddress
    /// The same namespace over TLS; nil: nowhere.
    var bootHTTPS: ListenAddress?
    var tftp: ListenAddress
    var tftpPorts: TransferPorts
    /// Bytes of a block at most, for every client; nil: what its path can carry.
    var tftpBlockSize: Int?
    var syslog: ListenAddress
    var control: ListenAddress?
    var controlSocket: String
    /// Of a token file: opens the control plane over TCP without a login.
    var token: Authorization.Token?
    /// Where to write what the console shows; nil: nowhere.
    var statusFile: String?
    /// The socket of the process that answers DNS and DHCP; nil: this one does.
    var authorityHelper: String?
    var loadersPath: String
    var authority: [AuthorityOption]
    /// Bytes; nil for the store's default.
    var reserve: Int64?
    /// A file with the authority that signs clients' certificates; nil: none are asked for.
    var clientAuthority: String?
    /// What clients with such a certificate may do.
    var clientScopes: [AccessScope]
    var collection: CollectionRules
    /// Bytes that the scrub reads in a second; 0: none.
    var scrubRate: Int64
    /// Of a key on a PKCS #11 token; nil: it is in the data directory.
    var bootKey: TokenURI?
}

extension DaemonConfiguration {
    /// Whether the control plane can be reached from other machines: then it is encrypted, and needs a login.
    var encryptsControl: Bool { control.map { !$0.isLoopback } ?? false }
}
