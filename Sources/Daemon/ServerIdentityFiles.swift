internal import ServerIdentity

/// The control plane's certificate and key in the data directory.
enum ServerIdentityFiles {
    /// Reads them; makes them where there are none.
    static func loadOrMake(in data: String) throws -> ServerIdentity {
        let files = KeyPairFiles(
            certificatePath: DefaultPath.certificate(in: data), keyPath: DefaultPath.privateKey(in: data),
            remedy: "have every operator log in again")
        if let identity = try files.read({ try ServerIdentity(certificate: $0, privateKey: $1) }) { return identity }
        let identity = try ServerIdentity.make()
        try files.write(certificate: identity.certificate, privateKey: identity.privateKey)
        return identity
    }
}
