internal import Authority
internal import NIOSSL
internal import ServerIdentity
internal import Site

/// The server's side of TLS, by its own certificate.
enum ServerTLS {
    /// With a certificate for the server's names and the addresses that it has now, which its own authority issues.
    static func configuration(_ identity: ServerIdentity, names: [String]) throws -> TLSConfiguration {
        var chain = [try NIOSSLCertificate(bytes: Array(identity.certificate.utf8), format: .pem)]
        var key = identity.privateKey
        if identity.isAuthority {
            let addresses = NetworkInterfaces.addresses.map(\.description)
            let issued = try identity.issue(names: names, addresses: addresses)
            chain.insert(try NIOSSLCertificate(bytes: Array(issued.certificate.utf8), format: .pem), at: 0)
            key = issued.privateKey
        }
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)))
        tls.minimumTLSVersion = .tlsv12
        return tls
    }
}
