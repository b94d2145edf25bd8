/// What the daemon writes for the console of its own machine, readable by root alone.
package struct ConsoleStatus: Codable, Hashable, Sendable {
    package var server: ServerStatus
    /// For the next login over the network; nil once it was used.
    package var loginCode: String?
    /// The control plane's port on the network; nil without such a listener.
    package var controlPort: Int?

    package init(server: ServerStatus, loginCode: String?, controlPort: Int?) {
        self.server = server
        self.loginCode = loginCode
        self.controlPort = controlPort
    }
}
