internal import Store

/// A certificate and its key as two files in the data directory, readable by the server alone.
///
/// The certificate is written last: without it, what is there of a first start that died is made anew, and nobody can have
/// the certificate.
struct KeyPairFiles {
    let certificatePath: String
    let keyPath: String
    /// What to do when they are damaged and cannot be restored.
    let remedy: String

    /// nil where there is none yet. `body` makes of both texts what they are.
    /// - Throws: `ValidationFailure` when `body` refuses them.
    func read<Pair>(_ body: (_ certificate: String, _ privateKey: String) throws -> Pair) throws -> Pair? {
        guard let certificate = try SmallFile.readIfPresent(certificatePath, limit: 1 << 20) else { return nil }
        let key = try SmallFile.readIfPresent(keyPath, limit: 1 << 20) ?? []
        do {
            return try body(String(decoding: certificate, as: UTF8.self), String(decoding: key, as: UTF8.self))
        } catch {
            throw ValidationFailure(
                "\(certificatePath) and \(keyPath): \(error): restore them, or remove both and \(remedy)")
        }
    }

    /// Durable when it returns.
    func write(certificate: String, privateKey: String) throws {
        try SmallFile.write(keyPath, Array(privateKey.utf8), SystemFileOperations())
        try SmallFile.write(certificatePath, Array(certificate.utf8), SystemFileOperations())
    }
}
