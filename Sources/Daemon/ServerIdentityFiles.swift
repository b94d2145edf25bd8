internal import ServerIdentity
internal import Store

/// The control plane's certificate and key in the data directory.
enum ServerIdentityFiles {
    /// Reads them; makes them where there are none. The certificate is written last: without it, what is there of a first
    /// start that died is made anew, and nobody can have pinned it.
    static func loadOrMake(in data: String) throws -> ServerIdentity {
        let certificatePath = DefaultPath.certificate(in: data)
        let keyPath = DefaultPath.privateKey(in: data)
        if let certificate = try SmallFile.readIfPresent(certificatePath, limit: 1 << 20) {
            let key = try SmallFile.readIfPresent(keyPath, limit: 1 << 20) ?? []
            do {
                return try ServerIdentity(
                    certificate: String(decoding: certificate, as: UTF8.self),
                    privateKey: String(decoding: key, as: UTF8.self))
            } catch {
                throw ValidationFailure(
                    "\(certificatePath) and \(keyPath): \(error): restore them, or remove both and have every operator log in again"
                )
            }
        }
        let identity = try ServerIdentity.make()
        try SmallFile.write(keyPath, Array(identity.privateKey.utf8), SystemFileOperations())
        try SmallFile.write(certificatePath, Array(identity.certificate.utf8), SystemFileOperations())
        return identity
    }
}
