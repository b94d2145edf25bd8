internal import Artifacts

/// Lists an ISO 9660 image (ECMA-119) by its Rock Ridge names (IEEE P1282), else its Joliet names, else its plain ones.
///
/// A file in several extents (level 3, over 4 GiB) is one where they follow one another. What cannot be served straight out
/// of the image is refused: interleaved files, extended attribute records, zisofs.
package struct ISO9660Walker {
    static let sector = 2048
    /// Sectors before the volume descriptors (ECMA-119 section 6.2.1).
    private static let systemArea: Int64 = 16
    private static let maximumDescriptors = 64

    private let file: ArchiveFile
    private let limits: ArchiveLimits

    package init(_ file: ArchiveFile, limits: ArchiveLimits = ArchiveLimits()) {
        self.file = file
        self.limits = limits
    }

    /// Whether the file begins as an ISO 9660 or UDF image does.
    package static func recognizes(_ file: ArchiveFile) -> Bool {
        guard let descriptor = try? file.read(at: systemArea * Int64(sector), count: 6) else { return false }
        return ["CD001", "BEA01"].contains { descriptor[1..<6].elementsEqual($0.utf8) }
    }

    /// Which names of an image are used.
    private enum Names {
        case plain
        case joliet
        /// Bytes of a system use area that come before its entries (SUSP section 5.3).
        case rockRidge(skip: Int)
    }

    /// - Throws: `ArchiveError`.
    package func list() throws(ArchiveError) -> ArchiveListing {
        let (primary, joliet, hasUDF) = try descriptors()
        guard let primary else {
            throw ArchiveError(
                .unsupported,
                hasUDF
                    ? "it is a UDF image without ISO 9660: unpack it ('7z x', or mount it) and push the folder"
                    : "it has no primary volume descriptor")
        }
        let listing: ArchiveListing
        if let skip = try rockRidgeSkip(primary) {
            listing = try walk(primary, .rockRidge(skip: skip))
        } else if let joliet {
            listing = try walk(joliet, .joliet)
        } else {
            listing = try walk(primary, .plain)
        }
        // What Microsoft's images say to a reader without UDF.
        if hasUDF, listing.files.count <= 1 {
            throw ArchiveError(
                .unsupported,
                "its files are in UDF, and ISO 9660 has a note only: unpack it ('7z x', or mount it) and push the folder"
            )
        }
        return listing
    }

    // MARK: Volume descriptors

    /// The root records, 34 bytes each.
    private func descriptors() throws(ArchiveError) -> (primary: [UInt8]?, joliet: [UInt8]?, hasUDF: Bool) {
        var (primary, joliet): ([UInt8]?, [UInt8]?)
        var (hasUDF, hasEnded) = (false, false)
        for number in 0..<Self.maximumDescriptors {
            let place = (Self.systemArea + Int64(number)) * Int64(Self.sector)
            guard let descriptor = try? file.read(at: place, count: Self.sector) else { break }
            let identifier = String(decoding: descriptor[1..<6], as: UTF8.self)
            // ECMA-167: the volume recognition sequence goes on behind ISO 9660's.
            if ["NSR02", "NSR03"].contains(identifier) { hasUDF = true }
            guard identifier == "CD001", !hasEnded else {
                if ["BEA01", "NSR02", "NSR03", "TEA01", "BOOT2", "CD001"].contains(identifier) { continue }
                break
            }
            switch descriptor[0] {
            case 1 where primary == nil:
                guard let blockSize = Self.both16(descriptor[128..<132]), blockSize == Self.sector else {
                    throw ArchiveError(.unsupported, "its blocks are not of 2048 bytes")
                }
                primary = Array(descriptor[156..<190])
            case 2 where joliet == nil:
                // UCS-2 in one of three levels (Joliet specification, section 4.1).
                let escape = descriptor[88..<91]
                if ["%/@", "%/C", "%/E"].contains(where: { escape.elementsEqual($0.utf8) }) {
                    joliet = Array(descriptor[156..<190])
                }
            case 255: hasEnded = true
            default: continue
            }
        }
        return (primary, joliet, hasUDF)
    }

    /// Rock Ridge is there when the root's own record has SUSP's first entry and an entry of Rock Ridge.
    private func rockRidgeSkip(_ root: [UInt8]) throws(ArchiveError) -> Int? {
        let extent = try Self.extent(of: root[...])
        guard extent.size >= 34, let sector = try? file.read(at: extent.offset, count: Self.sector), sector[0] >= 34
        else {
            return nil
        }
        let use = SystemUse.area(of: sector[..<Int(sector[0])])
        guard let first = SystemUse.entries(use).first, first.signature == "SP", first.data.count >= 3,
            first.data.starts(with: [0xbe, 0xef])
        else { return nil }
        let all = try SystemUse.all(use, skip: 0, in: file)
        let isThere = all.contains { ["RR", "PX", "ER", "TF", "NM"].contains($0.signature) }
        return isThere ? Int(first.data[first.data.startIndex + 2]) : nil
    }

    // MARK: Folders

    /// A folder that is still to be read.
    private struct Folder {
        var extent: ArchiveListing.Extent
        var components: [[UInt8]]
    }

    private func walk(_ root: [UInt8], _ names: Names) throws(ArchiveError) -> ArchiveListing {
        var builder = ArchiveListing.Builder(size: file.size, limits: limits)
        var pending = [Folder(extent: try Self.extent(of: root[...]), components: [])]
        // A folder that is in itself would be read for ever.
        var seen: Set<Int64> = []
        var metadata: Int64 = 0
        while let folder = pending.popLast() {
            guard seen.insert(folder.extent.offset).inserted else {
                throw ArchiveError(.hostile, "a folder is reached twice: it loops")
            }
            metadata += folder.extent.size
            guard metadata <= limits.metadata else {
                throw ArchiveError(.hostile, "its folders have more than \(limits.metadata) bytes")
            }
            pending += try read(folder, names, &builder)
        }
        return try builder.finish()
    }

    /// Adds what a folder has, and gives the folders in it.
    private func read(_ folder: Folder, _ names: Names, _ builder: inout ArchiveListing.Builder) throws(ArchiveError)
        -> [Folder]
    {
        guard folder.extent.size <= 256 << 20 else { throw ArchiveError(.hostile, "a folder has more than 256 MiB") }
        let bytes = try file.read(at: folder.extent.offset, count: Int(folder.extent.size))
        var folders: [Folder] = []
        var started: (name: [UInt8], extent: ArchiveListing.Extent)?
        var position = 0
        while position < bytes.count {
            let length = Int(bytes[position])
            // No record crosses a sector (ECMA-119 section 6.8.1.1): a zero skips to the next one.
            guard length > 0 else {
                position = (position / Self.sector + 1) * Self.sector
                continue
            }
            guard length >= 34, position % Self.sector + length <= Self.sector, position + length <= bytes.count else {
                throw ArchiveError(.damaged, "a directory record is longer than its sector")
            }
            let record = bytes[position..<position + length]
            position += length
            let entry = try DirectoryRecord(record)
            if entry.isSelfOrParent { continue }
            guard !entry.isAssociated else {
                throw ArchiveError(.unsupported, "it has associated files, as old Macintosh images do: unpack it")
            }
            let extras = try extras(record, names)
            if extras.isRelocated { continue }
            var name = extras.name ?? []
            if name.isEmpty { name = try Self.name(entry.identifier, names) }
            let components = folder.components + [name]
            if let child = extras.child {
                // Where a deep folder really is (Rock Ridge's CL): its own record tells its size.
                folders.append(Folder(extent: try relocated(child), components: components))
                try builder.addFolder(try builder.path(components))
                continue
            }
            if let link = extras.link {
                try builder.addLink(try builder.path(components), text: link)
                continue
            }
            if entry.isFolder {
                try builder.addFolder(try builder.path(components))
                folders.append(Folder(extent: entry.extent, components: components))
                continue
            }
            guard extras.isRegular else {
                try builder.countEntry()
                continue
            }
            var extent = entry.extent
            if let before = started {
                guard before.name == name, before.extent.size % Int64(Self.sector) == 0,
                    before.extent.offset + before.extent.size == extent.offset
                else {
                    throw ArchiveError(
                        .unsupported, "the pieces of a file over 4 GiB do not follow one another: unpack the archive")
                }
                extent = ArchiveListing.Extent(offset: before.extent.offset, size: before.extent.size + extent.size)
            }
            if entry.isContinued {
                started = (name, extent)
            } else {
                started = nil
                try builder.addFile(try builder.path(components), extent)
            }
        }
        guard started == nil else { throw ArchiveError(.damaged, "a file over 4 GiB has no last piece") }
        return folders
    }

    private func extras(_ record: ArraySlice<UInt8>, _ names: Names) throws(ArchiveError) -> RockRidge {
        guard case .rockRidge(let skip) = names else { return RockRidge() }
        return try RockRidge(try SystemUse.all(SystemUse.area(of: record), skip: skip, in: file))
    }

    private func relocated(_ block: Int64) throws(ArchiveError) -> ArchiveListing.Extent {
        let record = try file.read(at: block * Int64(Self.sector), count: 34)
        let entry = try DirectoryRecord(record[...])
        guard entry.extent.offset == block * Int64(Self.sector) else {
            throw ArchiveError(.damaged, "a relocated folder is not where it says")
        }
        return entry.extent
    }

    private static func name(_ identifier: ArraySlice<UInt8>, _ names: Names) throws(ArchiveError) -> [UInt8] {
        var name: [UInt8]
        if case .joliet = names {
            let bytes = Array(identifier)
            let units = stride(from: 0, to: bytes.count / 2 * 2, by: 2).map {
                UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1])
            }
            guard bytes.count.isMultiple(of: 2), let text = String(validating: units, as: UTF16.self) else {
                throw ArchiveError(.damaged, "a Joliet name is not UCS-2")
            }
            name = Array(text.utf8)
        } else {
            name = Array(identifier)
        }
        // The version, and the dot of a name without an ending (ECMA-119 section 7.5).
        if let mark = name.lastIndex(of: UInt8(ascii: ";")),
            name[mark...].dropFirst().allSatisfy({ (48...57).contains($0) })
        {
            name.removeSubrange(mark...)
        }
        if case .plain = names, name.count > 1, name.last == UInt8(ascii: ".") { name.removeLast() }
        return name
    }

    // MARK: Fields

    /// The extent of a directory record, in bytes.
    static func extent(of record: ArraySlice<UInt8>) throws(ArchiveError) -> ArchiveListing.Extent {
        let start = record.startIndex
        guard record.count >= 34, let block = both32(record[start + 2..<start + 10]),
            let size = both32(record[start + 10..<start + 18])
        else { throw ArchiveError(.damaged, "a directory record contradicts itself") }
        return ArchiveListing.Extent(offset: Int64(block) * Int64(sector), size: Int64(size))
    }

    /// A number that stands there in both byte orders (ECMA-119 section 7.3.3); nil when they differ.
    static func both32(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let little = bytes.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let big = bytes.dropFirst(4).prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return little == big ? little : nil
    }

    private static func both16(_ bytes: ArraySlice<UInt8>) -> Int? {
        let field = Array(bytes)
        let (little, big) = (Int(field[0]) | Int(field[1]) << 8, Int(field[2]) << 8 | Int(field[3]))
        return little == big ? little : nil
    }
}

/// One record of a folder (ECMA-119 section 9.1).
private struct DirectoryRecord {
    let extent: ArchiveListing.Extent
    let flags: UInt8
    let identifier: ArraySlice<UInt8>

    init(_ record: ArraySlice<UInt8>) throws(ArchiveError) {
        let start = record.startIndex
        extent = try ISO9660Walker.extent(of: record)
        flags = record[start + 25]
        guard record[start + 1] == 0 else {
            throw ArchiveError(.unsupported, "it has extended attribute records: unpack the archive")
        }
        guard record[start + 26] == 0, record[start + 27] == 0 else {
            throw ArchiveError(.unsupported, "its files are interleaved: unpack the archive")
        }
        let length = Int(record[start + 32])
        guard length > 0, 33 + length <= record.count else {
            throw ArchiveError(.damaged, "a name is longer than its directory record")
        }
        identifier = record[start + 33..<start + 33 + length]
    }

    var isFolder: Bool { flags & 0x02 != 0 }
    var isAssociated: Bool { flags & 0x04 != 0 }
    var isContinued: Bool { flags & 0x80 != 0 }
    var isSelfOrParent: Bool { identifier.count == 1 && (identifier.first == 0 || identifier.first == 1) }
}
