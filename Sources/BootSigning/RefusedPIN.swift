internal import Glibc

/// Remembers, over restarts too, that a token refused the PIN in a file: the same file is not tried again, for tokens lock
/// themselves after a few wrong ones. A file that was written since is another one.
struct RefusedPIN {
    private let record: String
    private let pinPath: String
    private let object: String

    /// - Parameters:
    ///   - uri: the key.
    ///   - directory: where it is remembered.
    init(_ uri: TokenURI, in directory: String) {
        record = directory + "/refused-pin"
        pinPath = uri.pinPath
        object = uri.object
    }

    /// Nothing of the PIN is in it.
    private var state: String? {
        var status = stat()
        guard stat(pinPath, &status) == 0 else { return nil }
        return """
            \(object)
            \(pinPath) \(status.st_ino) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)

            """
    }

    /// - Throws: `BootSigningError` when the file is the one that was refused.
    func demandAnother() throws(BootSigningError) {
        guard let state, let known = try? WorkFolder.read(record, limit: 1 << 14), known == Array(state.utf8) else {
            return
        }
        throw BootSigningError(
            "the token refused the PIN in \(pinPath), which is not tried again: write the right one there")
    }

    func remember() {
        unlink(record)
        guard let state else { return }
        try? WorkFolder.write(record, Array(state.utf8))
    }
}
