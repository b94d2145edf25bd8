internal import Foundation
internal import Glibc
internal import ServerIdentity
internal import Store

/// The boot key in the data directory: readable by the server alone, made at its first start.
enum BootKeyFiles {
    /// Reads it; makes it where there is none. The certificate is written last: without it, what is there of a first start
    /// that died is made anew, and no loader can have it.
    static func loadOrMake(in data: String) throws -> BootKey {
        let (certificatePath, keyPath) = (DefaultPath.bootCertificate(in: data), DefaultPath.bootKey(in: data))
        guard let certificate = try SmallFile.readIfPresent(certificatePath, limit: 1 << 20) else {
            return try write(try BootKey.make(), in: data)
        }
        let key = try SmallFile.readIfPresent(keyPath, limit: 1 << 20) ?? []
        do {
            return try BootKey(
                certificate: String(decoding: certificate, as: UTF8.self),
                privateKey: String(decoding: key, as: UTF8.self))
        } catch {
            throw ValidationFailure(
                "\(certificatePath) and \(keyPath): \(error): restore them, or remove both and build loaders with the new certificate"
            )
        }
    }

    /// A new key in the place of the one that is there, which is gone then.
    static func rotate(in data: String) throws -> BootKey {
        // What is killed in between has no certificate, and so no key: the next start makes one.
        unlink(DefaultPath.bootCertificate(in: data))
        return try write(try BootKey.make(), in: data)
    }

    private static func write(_ key: BootKey, in data: String) throws -> BootKey {
        try SmallFile.write(DefaultPath.bootKey(in: data), Array(key.privateKey.utf8), SystemFileOperations())
        try SmallFile.write(DefaultPath.bootCertificate(in: data), Array(key.certificate.utf8), SystemFileOperations())
        return key
    }
}
