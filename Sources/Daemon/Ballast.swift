internal import Logging
internal import Store

/// Room in the data directory that is given up when the disk is full, so that the databases open and boots go on: SQLite
/// writes even to read. It is taken again at a start that finds enough.
struct Ballast {
    static let size: Int64 = 32 << 20
    /// With less than this, it is given up; with more than the other, it is taken.
    private static let tight: Int64 = 8 << 20
    private static let ample = 4 * size

    let directory: String
    let logger: Logger
    private let files = SystemFileOperations()

    private var path: String { directory + "/ballast" }

    init(directory: String, logger: Logger) {
        self.directory = directory
        self.logger = logger
    }

    /// To be called before anything in the directory is opened. Harmless where there is none.
    func releaseIfTight() {
        guard let free, free < Self.tight, (try? files.size(path)) ?? nil != nil else { return }
        try? files.removeFile(path)
        logger.error(
            "the disk of \(directory) is full (\(free) bytes were free): \(Self.size >> 20) MB that were kept for this are given up; make room, for these will not last"
        )
    }

    /// To be called once the directory is open.
    func takeIfAmple() {
        guard let free, free > Self.ample, let descriptor = try? files.openForWriting(path) else { return }
        defer { files.close(descriptor) }
        // Also where it is: a start that died may have made the file and not its room.
        do {
            try files.reserve(descriptor, size: Self.size, path: path)
        } catch {
            try? files.removeFile(path)
        }
    }

    /// nil while the directory does not exist.
    private var free: Int64? { try? files.space(directory).free }
}
