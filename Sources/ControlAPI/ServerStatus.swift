/// `GET /api/v1/status`: how the server is. The console of an appliance shows the same.
package struct ServerStatus: Codable, Hashable, Sendable {
    /// Who answers DNS and DHCP on a substrate.
    package struct Authority: Codable, Hashable, Sendable {
        package var substrate: String
        /// `router` or `provisioner`, as the site file declares.
        package var declared: String
        /// What this server does about it, in words: `answering on eth0`, or what it waits for.
        package var state: String
        /// Whether it answers DNS and DHCP there now.
        package var isAnswering: Bool

        package init(substrate: String, declared: String, state: String, isAnswering: Bool) {
            self.substrate = substrate
            self.declared = declared
            self.state = state
            self.isAnswering = isAnswering
        }
    }

    /// The last step of one machine.
    package struct Boot: Codable, Hashable, Sendable {
        /// The host's name, or the MAC of a discovered machine.
        package var machine: String
        /// As in `HostReport.Event`.
        package var kind: String
        package var detail: String
        /// Milliseconds since 1970.
        package var time: Int64

        package init(machine: String, kind: String, detail: String, time: Int64) {
            self.machine = machine
            self.kind = kind
            self.detail = detail
            self.time = time
        }
    }

    package var version: String
    /// The digest of the site file in use; nil while there is none.
    package var siteRevision: String?
    /// What is wrong with the site file, as FILE:LINE:COLUMN lines: then nothing but the control plane is served.
    package var siteProblems: [String] = []
    /// Why nothing can be written; nil while all is well.
    package var degraded: String?
    package var authorities: [Authority] = []
    /// Of the certificate on the network; nil without such a listener.
    package var fingerprint: String?
    /// Published versions.
    package var artifactCount = 0
    /// Bytes of the data directory's file system.
    package var freeBytes: Int64 = 0
    package var totalBytes: Int64 = 0
    /// Machines that stopped half-way through a boot in the last day.
    package var stuckCount = 0
    /// Newest first.
    package var boots: [Boot] = []
    /// Milliseconds since 1970, when this was said.
    package var time: Int64 = 0

    package init(version: String) { self.version = version }
}
