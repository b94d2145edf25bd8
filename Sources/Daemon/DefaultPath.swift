/// Where things are unless an option says otherwise.
enum DefaultPath {
    static let site = "/etc/provisioner/site.yaml"
    static let data = "/var/lib/provisioner"
    static let controlSocket = "/run/provisioner/control.sock"
    static let authorityState = "/var/lib/provisioner-authority"
    static let observations = "/run/provisioner-authority/observations.sock"
    /// Debian's package `ipxe` puts its programs here.
    static let loaders = "/usr/lib/ipxe"

    static func hostsDatabase(in data: String) -> String { data + "/hosts.sqlite" }
    /// What machines said by syslog.
    static func hostLogs(in data: String) -> String { data + "/logs" }
    static func operators(in data: String) -> String { data + "/operators.json" }
    static func certificate(in data: String) -> String { data + "/control.crt" }
    static func privateKey(in data: String) -> String { data + "/control.key" }
    static func tokenKey(in data: String) -> String { data + "/boot-token.key" }
    static func bootKey(in data: String) -> String { data + "/boot.key" }
    static func bootCertificate(in data: String) -> String { data + "/boot.crt" }
    /// Of a boot key on a token.
    static func tokenCertificate(in data: String) -> String { data + "/boot-pkcs11.crt" }
    static func bootSignatures(in data: String) -> String { data + "/boot-signatures" }
    static func openPGPKey(in data: String) -> String { data + "/boot-openpgp.key" }
    /// For the making of what is signed; nothing in it has to last.
    static func bootSigning(in data: String) -> String { data + "/signing" }
    static func authority(in data: String) -> String { data + "/authority" }
}

extension String {
    /// The directory that holds a path's last component; empty when none is named.
    var parentDirectory: String { lastIndex(of: "/").map { String(self[..<$0]) } ?? "" }
}
