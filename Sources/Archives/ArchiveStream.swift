internal import Artifacts
internal import CArchive
internal import Glibc

/// libarchive's own reading of an archive, told over a pipe. It runs in a process of its own that may do nothing but read
/// its standard input and write its standard output: see `ConfinedArchiveReader` of the daemon.
///
/// Records on the pipe, numbers big-endian: `E` kind, path, link (each with a 32-bit length), `D` a 32-bit length and bytes of
/// the entry, `H` size, place of the first byte or -1, SHA-256, `X` a text and `Z` at the end, one of the two.
package struct ArchiveStreamWriter {
    /// Whether contents are sent, or their hashes only.
    private let sendsContents: Bool
    private let input: Int32
    private let output: Int32
    private var buffer: [UInt8] = []

    package init(sendsContents: Bool, input: Int32 = 0, output: Int32 = 1) {
        self.sendsContents = sendsContents
        self.input = input
        self.output = output
    }

    // Of `archive_entry.h`, where they are macros that Swift does not see.
    private static let regular: mode_t = 0o100000
    private static let directory: mode_t = 0o040000
    private static let symbolicLink: mode_t = 0o120000

    /// Makes libarchive ready, which may still open what it needs; `run` then does not.
    package static func prepare() { _ = setlocale(LC_ALL, "C.UTF-8") }

    /// Reads the archive and tells of it. A fault of the archive is told; only a broken pipe gives false.
    package mutating func run() -> Bool {
        do {
            try read()
            buffer.append(UInt8(ascii: "Z"))
        } catch let error as ArchiveError {
            buffer.append(UInt8(ascii: "X"))
            append(Array(error.message.utf8))
        } catch {
            return false
        }
        return flush()
    }

    private struct PipeClosed: Error {}

    private mutating func read() throws {
        guard let archive = archive_read_new() else { throw ArchiveError(.failure, "libarchive gives no reader") }
        defer { archive_read_free(archive) }
        // Each by name: the others start programs.
        for support in [
            archive_read_support_filter_gzip, archive_read_support_filter_bzip2, archive_read_support_filter_xz,
            archive_read_support_filter_lzma, archive_read_support_filter_zstd, archive_read_support_filter_lz4,
            archive_read_support_format_iso9660, archive_read_support_format_tar,
            archive_read_support_format_zip_seekable,
        ] { _ = support(archive) }
        guard archive_read_open_fd(archive, input, 1 << 16) == ARCHIVE_OK else { throw Self.fault(archive) }
        let hasher: SHA256
        do { hasher = try SHA256() } catch { throw ArchiveError(.failure, "\(error)") }
        while true {
            var entry: OpaquePointer?
            let status = archive_read_next_header(archive, &entry)
            if status == ARCHIVE_EOF { return }
            guard status == ARCHIVE_OK || status == ARCHIVE_WARN, let entry else { throw Self.fault(archive) }
            try tell(entry)
            if archive_entry_filetype(entry) == Self.regular, archive_entry_hardlink(entry) == nil {
                try tellContent(archive, hasher)
            }
        }
    }

    private mutating func tell(_ entry: OpaquePointer) throws {
        let kind: Character
        var link: UnsafePointer<CChar>?
        if let target = archive_entry_hardlink(entry) {
            (kind, link) = ("h", target)
        } else {
            switch archive_entry_filetype(entry) {
            case Self.regular: kind = "f"
            case Self.directory: kind = "d"
            case Self.symbolicLink: (kind, link) = ("l", archive_entry_symlink(entry))
            default: kind = "o"
            }
        }
        guard let path = archive_entry_pathname(entry) ?? archive_entry_pathname_utf8(entry) else {
            throw ArchiveError(.unsupported, "an entry has a name that is not text: unpack the archive")
        }
        buffer.append(UInt8(ascii: "E"))
        buffer.append(kind.asciiValue ?? 0)
        append(Array(UnsafeBufferPointer(start: path, count: strlen(path))).map { UInt8(bitPattern: $0) })
        append(
            link.map { link in
                Array(UnsafeBufferPointer(start: link, count: strlen(link))).map { UInt8(bitPattern: $0) }
            } ?? [])
        if buffer.count > 1 << 16, !flush() { throw PipeClosed() }
    }

    private mutating func tellContent(_ archive: OpaquePointer, _ hasher: SHA256) throws {
        var size: Int64 = 0
        var place: Int64 = -1
        while true {
            var block: UnsafeRawPointer?
            var count = 0
            var offset: Int64 = 0
            let status = archive_read_data_block(archive, &block, &count, &offset)
            if status == ARCHIVE_EOF { break }
            guard status == ARCHIVE_OK || status == ARCHIVE_WARN else { throw Self.fault(archive) }
            guard count > 0, let block else { continue }
            guard offset == size else { throw ArchiveError(.unsupported, "it has sparse files: unpack the archive") }
            // Undocumented, and right for images and uncompressed archives (measured): a check of places, no more.
            if size == 0 { place = archive_filter_bytes(archive, -1) }
            let bytes = UnsafeRawBufferPointer(start: block, count: count)
            hasher.update(bytes)
            size += Int64(count)
            if sendsContents {
                buffer.append(UInt8(ascii: "D"))
                append(number: UInt64(count), bytes: 4)
                buffer.append(contentsOf: bytes)
                if buffer.count > 1 << 16, !flush() { throw PipeClosed() }
            }
        }
        buffer.append(UInt8(ascii: "H"))
        append(number: UInt64(size), bytes: 8)
        append(number: UInt64(bitPattern: place), bytes: 8)
        buffer.append(contentsOf: hasher.finish().bytes)
        if buffer.count > 1 << 16, !flush() { throw PipeClosed() }
    }

    private static func fault(_ archive: OpaquePointer) -> ArchiveError {
        let words = archive_error_string(archive).map { String(cString: $0) } ?? "it cannot be read"
        return ArchiveError(.damaged, "libarchive: \(words)")
    }

    private mutating func append(_ field: [UInt8]) {
        append(number: UInt64(field.count), bytes: 4)
        buffer.append(contentsOf: field)
    }

    private mutating func append(number: UInt64, bytes: Int) {
        for index in (0..<bytes).reversed() { buffer.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(index)))) }
    }

    private mutating func flush() -> Bool {
        var done = 0
        while done < buffer.count {
            let count = buffer.withUnsafeBytes { write(output, $0.baseAddress.map { $0 + done }, $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        buffer.removeAll(keepingCapacity: true)
        return true
    }
}
