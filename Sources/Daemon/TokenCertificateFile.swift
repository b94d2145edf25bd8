internal import BootSigning
internal import Glibc
internal import Store

/// The certificate of a boot key on a token, in the data directory: the key itself is not there.
enum TokenCertificateFile {
    /// Opens the token. A key that is another one than before gets a certificate.
    /// - Throws: `BootSigningError` when token or key cannot be used; `FileFailure`.
    static func open(_ uri: TokenURI, in data: String) async throws -> TokenKey {
        let path = DefaultPath.tokenCertificate(in: data)
        let work = DefaultPath.bootSigning(in: data)
        _ = try SystemFileOperations().makeDirectory(work)
        let known = try SmallFile.readIfPresent(path, limit: 1 << 16).map { String(decoding: $0, as: UTF8.self) }
        let key = try await TokenKey.open(uri, certificate: known, in: work)
        if key.certificate != known {
            try SmallFile.write(path, Array(key.certificate.utf8), SystemFileOperations())
        }
        return key
    }

    /// nil where the boot key is on no token.
    static func read(in data: String) throws -> String? {
        try SmallFile.readIfPresent(DefaultPath.tokenCertificate(in: data), limit: 1 << 16)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// For a server whose key is in the data directory.
    static func remove(in data: String) { unlink(DefaultPath.tokenCertificate(in: data)) }
}
