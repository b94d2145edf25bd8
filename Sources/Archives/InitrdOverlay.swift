package import Artifacts
internal import CArchive
internal import Glibc

/// An archive that a kernel unpacks over its initrd: cpio in the form newc (Linux, "initramfs buffer format"), and gzip around
/// it: a kernel takes a plain cpio at multiples of four bytes only, and its EFI stub puts one initrd right after the other,
/// whatever size the first has; what is compressed may begin anywhere. The same files give the same bytes: owner 0, time 0,
/// numbers in the order of paths.
package enum InitrdOverlay {
    package struct File: Sendable, Hashable {
        package var path: ArtifactPath
        /// Permission bits.
        package var mode: UInt16
        package var bytes: [UInt8]

        package init(path: ArtifactPath, mode: UInt16, bytes: [UInt8]) {
            self.path = path
            self.mode = mode
            self.bytes = bytes
        }
    }

    private static let regular: UInt32 = 0o100000
    private static let directory: UInt32 = 0o040000

    /// Every folder of a file comes before it, as the kernel needs it. A path that is there twice is there once, with the
    /// last of its bytes.
    /// - Parameters:
    ///   - files: what is in it.
    ///   - isCompressed: false for readers that know cpio alone.
    /// - Returns: the archive.
    /// - Throws: `ArchiveError` (`hostile`) for a path that is both a file and a folder, `failure` when libarchive fails.
    package static func build(_ files: [File], isCompressed: Bool = true) throws(ArchiveError) -> [UInt8] {
        var entries: [ArtifactPath: File?] = [:]
        for file in files { entries[file.path] = file }
        for file in files {
            for folder in file.path.folders {
                if let known = entries[folder], known != nil {
                    throw ArchiveError(
                        .hostile, "'\(folder)' is both a file of the overlay and a folder of '\(file.path)'")
                }
                entries[folder] = File?.none
            }
        }
        let ordered = entries.sorted { $0.key < $1.key }
        // Names, headers and padding: libarchive writes into memory that must suffice.
        let room = ordered.reduce(4096) { $0 + ($1.value?.bytes.count ?? 0) + $1.key.description.utf8.count + 512 }
        var output = [UInt8](repeating: 0, count: room)
        var used = 0
        let failed = ArchiveError(.failure, "libarchive cannot write the overlay")
        guard let archive = archive_write_new() else { throw failed }
        defer { archive_write_free(archive) }
        let isWritten = output.withUnsafeMutableBytes { buffer in
            guard archive_write_set_format_cpio_newc(archive) == ARCHIVE_OK,
                !isCompressed || compress(archive),
                archive_write_set_bytes_per_block(archive, 0) == ARCHIVE_OK,
                archive_write_open_memory(archive, buffer.baseAddress, buffer.count, &used) == ARCHIVE_OK
            else { return false }
            for (index, entry) in ordered.enumerated() {
                guard write(entry.key, entry.value, number: Int64(index + 1), archive) else { return false }
            }
            return archive_write_close(archive) == ARCHIVE_OK
        }
        guard isWritten, used <= output.count else { throw failed }
        output.removeLast(output.count - used)
        return output
    }

    /// Stored as it is, for the wrapping is what matters; without the time, which would make other bytes each second.
    private static func compress(_ archive: OpaquePointer) -> Bool {
        archive_write_add_filter_gzip(archive) == ARCHIVE_OK
            && archive_write_set_filter_option(archive, "gzip", "timestamp", nil) == ARCHIVE_OK
            && archive_write_set_filter_option(archive, "gzip", "compression-level", "0") == ARCHIVE_OK
    }

    private static func write(_ path: ArtifactPath, _ file: File?, number: Int64, _ archive: OpaquePointer) -> Bool {
        guard let entry = archive_entry_new() else { return false }
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname(entry, path.description)
        archive_entry_set_mode(entry, mode_t(file.map { regular | UInt32($0.mode) } ?? directory | 0o755))
        archive_entry_set_ino64(entry, number)
        archive_entry_set_nlink(entry, file == nil ? 2 : 1)
        archive_entry_set_uid(entry, 0)
        archive_entry_set_gid(entry, 0)
        archive_entry_set_mtime(entry, 0, 0)
        archive_entry_set_size(entry, Int64(file?.bytes.count ?? 0))
        guard archive_write_header(archive, entry) == ARCHIVE_OK else { return false }
        guard let bytes = file?.bytes, !bytes.isEmpty else { return true }
        return bytes.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) } == bytes.count
    }
}
