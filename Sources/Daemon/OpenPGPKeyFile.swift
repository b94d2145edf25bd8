internal import BootSigning
internal import Glibc
internal import Store

/// The OpenPGP key of this server's GRUB images in the data directory, made when it is needed first.
actor OpenPGPKeyFile {
    private let path: String
    private let directory: String
    private let isMade: @Sendable () -> Void
    private var starting: Task<OpenPGPSigner, any Error>?

    /// - Parameters:
    ///   - data: the data directory.
    ///   - directory: for gpg, of this program's own.
    ///   - isMade: called when there was no key: signatures of an earlier one are nobody's.
    init(data: String, directory: String, isMade: @escaping @Sendable () -> Void) {
        path = DefaultPath.openPGPKey(in: data)
        self.directory = directory
        self.isMade = isMade
    }

    /// The one who signs.
    /// - Throws: `BootSigningError` or `FileFailure`; the next call tries again.
    func signer() async throws -> OpenPGPSigner {
        let task =
            starting
            ?? Task { [path, directory, isMade] in
                if let key = try SmallFile.readIfPresent(path, limit: 1 << 20) {
                    return try await OpenPGPSigner.start(secretKey: key, in: directory)
                }
                let key = try await OpenPGPSigner.makeKey(in: directory)
                isMade()
                try SmallFile.write(path, key, SystemFileOperations())
                return try await OpenPGPSigner.start(secretKey: key, in: directory)
            }
        starting = task
        do {
            return try await task.value
        } catch {
            if starting == task { starting = nil }
            throw error
        }
    }

    /// Ends gpg's agent, where there is one.
    func stop() async {
        let task = starting
        starting = nil
        await (try? task?.value)?.stop()
    }
}
