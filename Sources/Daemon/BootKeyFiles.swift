internal import Glibc
internal import ServerIdentity

/// The boot key in the data directory, made at the server's first start.
enum BootKeyFiles {
    /// Reads it; makes it where there is none.
    static func loadOrMake(in data: String) throws -> BootKey {
        try files(data).read { try BootKey(certificate: $0, privateKey: $1) } ?? make(data)
    }

    /// A new key in the place of the one that is there, which is gone then.
    static func rotate(in data: String) throws -> BootKey {
        // What is killed in between has no certificate, and so no key: the next start makes one.
        unlink(DefaultPath.bootCertificate(in: data))
        rotateOpenPGP(in: data)
        return try make(data)
    }

    /// The next GRUB has a new key inside.
    static func rotateOpenPGP(in data: String) { unlink(DefaultPath.openPGPKey(in: data)) }

    private static func files(_ data: String) -> KeyPairFiles {
        KeyPairFiles(
            certificatePath: DefaultPath.bootCertificate(in: data), keyPath: DefaultPath.bootKey(in: data),
            remedy: "build loaders with the new certificate")
    }

    private static func make(_ data: String) throws -> BootKey {
        let key = try BootKey.make()
        try files(data).write(certificate: key.certificate, privateKey: key.privateKey)
        return key
    }
}
