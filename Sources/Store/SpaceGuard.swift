internal import GRDB

/// Keeps a reserve of free space, so that a full disk never stops the catalog.
package struct SpaceGuard: Sendable {
    /// Bytes that uploads may not touch; nil: the larger of 1 GiB and 2 % of the file system, at most a tenth of it.
    package let reserve: Int64?
    let path: String
    let files: any FileOperations

    /// - Parameters:
    ///   - reserve: bytes; nil for the default.
    ///   - path: a folder of the file system.
    ///   - files: how it is asked.
    package init(reserve: Int64?, path: String, files: any FileOperations) {
        self.reserve = reserve
        self.path = path
        self.files = files
    }

    /// - Throws: `noSpace` with the numbers when `bytes` more would touch the reserve.
    package func require(_ bytes: Int64) throws(StoreError) {
        guard let (free, total) = try? files.space(path) else { return }
        let reserve = self.reserve ?? min(max(1 << 30, total / 50), total / 10)
        guard free - bytes >= reserve else {
            throw StoreError(
                .noSpace,
                "no space: \(bytes) bytes are needed, \(max(0, free - reserve)) are free "
                    + "beside the reserve of \(reserve)"
            )
        }
    }

    /// An error of the database, of a system call or of anything else, as this target's: a full disk is told with numbers.
    /// `message` is for whatever else it was.
    func explain(_ error: any Error, as message: String = "the disk failed") -> StoreError {
        let isFull =
            switch error {
            case let failure as FileFailure: failure.isNoSpace
            case let error as DatabaseError: error.resultCode == .SQLITE_FULL
            default: false
            }
        if let error = error as? StoreError { return error }
        guard isFull else { return StoreError(.failure, message, cause: error) }
        let free = (try? files.space(path))?.free ?? 0
        return StoreError(.noSpace, "no space: the disk is full, \(free) bytes are free", cause: error)
    }
}
