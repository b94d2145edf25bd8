internal import CArchive

/// A list that upstream has compressed, by gzip or xz, read by libarchive. Its bytes are verified as the list that they are.
enum CompressedList {
    /// - Throws: `OperatorError` when it is damaged, or has more than `limit` bytes.
    static func read(_ path: String, limit: Int) throws -> [UInt8] {
        guard let archive = archive_read_new() else { throw OperatorError(.file, "libarchive gives no reader") }
        defer { archive_read_free(archive) }
        var entry: OpaquePointer?
        guard archive_read_support_filter_gzip(archive) == ARCHIVE_OK,
            archive_read_support_filter_xz(archive) == ARCHIVE_OK,
            archive_read_support_format_raw(archive) == ARCHIVE_OK,
            archive_read_open_filename(archive, path, 1 << 16) == ARCHIVE_OK,
            archive_read_next_header(archive, &entry) == ARCHIVE_OK
        else { throw fault(path, archive) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = archive_read_data(archive, &buffer, buffer.count)
            guard count >= 0 else { throw fault(path, archive) }
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= limit else {
                throw OperatorError(.file, "\(path) has more than \(limit) bytes inside")
            }
        }
    }

    private static func fault(_ path: String, _ archive: OpaquePointer) -> OperatorError {
        let reason = archive_error_string(archive).map { String(cString: $0) } ?? "no reason given"
        return OperatorError(.file, "\(path) cannot be unpacked: \(reason)")
    }
}
