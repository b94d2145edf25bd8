internal import ControlPlane

/// Everything the daemon is told from outside: values only.
struct DaemonConfiguration: Sendable {
    var sitePath: String
    /// Absolute.
    var dataPath: String
    var bootHTTP: ListenAddress
    var tftp: ListenAddress
    var syslog: ListenAddress
    var control: ListenAddress?
    var controlSocket: String
    /// For calls over TCP.
    var authorization: Authorization
    var loadersPath: String
    var authority: [AuthorityOption]
    /// Bytes; nil for the store's default.
    var reserve: Int64?
}
