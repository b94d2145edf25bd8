internal import Glibc

/// Remembers, over restarts too, that a token refused the PIN in a file: the same file is not tried again, for tokens lock
/// themselves after a few wrong ones. A file that was written since is another one.
struct RefusedPIN {
    private let record: String
    private let pinPath: String
    /// The key, and which file it is: nothing of the PIN. nil when there is none.
    private let state: String?

    /// Looks at the file as it is now: what is refused later is what was read after this.
    /// - Parameters:
    ///   - uri: the key.
    ///   - directory: where it is remembered.
    init(_ uri: TokenURI, in directory: String) {
        record = directory + "/refused-pin"
        pinPath = uri.pinPath
        var status = stat()
        guard stat(uri.pinPath, &status) == 0 else {
            state = nil
            return
        }
        state = """
            \(uri.object)
            \(uri.pinPath) \(status.st_ino) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)

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
