/// Where things are unless an option says otherwise.
enum DefaultPath {
    static let site = "/etc/provisioner/site.yaml"
    static let data = "/var/lib/provisioner"
    static let controlSocket = "/run/provisioner/control.sock"
    /// Debian's package `ipxe` puts its programs here.
    static let loaders = "/usr/lib/ipxe"

    static func hostsDatabase(in data: String) -> String { data + "/hosts.sqlite" }
    static func tokenKey(in data: String) -> String { data + "/boot-token.key" }
    static func authority(in data: String) -> String { data + "/authority" }
}
