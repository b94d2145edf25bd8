/// The entries of a system use area (SUSP, IEEE P1281): four bytes of signature, length and version, then data.
enum SystemUse {
    struct Entry {
        let signature: String
        let data: ArraySlice<UInt8>
    }

    /// Areas that one record may go on in.
    private static let maximumContinuations = 32

    /// What follows the name in a directory record, padded to an even length.
    static func area(of record: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard record.count > 33 else { return [] }
        let length = Int(record[record.startIndex + 32])
        let end = 33 + length + (length.isMultiple(of: 2) ? 1 : 0)
        return end <= record.count ? record.dropFirst(end) : []
    }

    /// Entries up to the first that makes no sense: what follows the last one is padding.
    static func entries(_ area: ArraySlice<UInt8>) -> [Entry] {
        var entries: [Entry] = []
        var rest = area
        while rest.count >= 4 {
            let start = rest.startIndex
            let length = Int(rest[start + 2])
            guard length >= 4, length <= rest.count else { break }
            let signature = String(decoding: rest[start..<start + 2], as: UTF8.self)
            if signature == "ST" { break }
            entries.append(Entry(signature: signature, data: rest[start + 4..<start + length]))
            rest = rest.dropFirst(length)
        }
        return entries
    }

    /// The same with the areas that entries `CE` lead to.
    static func all(_ area: ArraySlice<UInt8>, skip: Int, in file: ArchiveFile) throws(ArchiveError) -> [Entry] {
        var all: [Entry] = []
        var areas = [area.dropFirst(skip)]
        var count = 0
        while let area = areas.popLast() {
            for entry in entries(area) {
                guard entry.signature == "CE" else {
                    all.append(entry)
                    continue
                }
                count += 1
                let data = Array(entry.data)
                guard data.count >= 24, count <= maximumContinuations, let block = ISO9660Walker.both32(data[0..<8]),
                    let offset = ISO9660Walker.both32(data[8..<16]), let length = ISO9660Walker.both32(data[16..<24]),
                    length <= 1 << 16, offset < 1 << 16
                else { throw ArchiveError(.hostile, "the continuation of a directory record makes no sense, or loops") }
                let place = Int64(block) * Int64(ISO9660Walker.sector) + Int64(offset)
                areas.append(try file.read(at: place, count: Int(length))[...])
            }
        }
        return all
    }
}

/// What Rock Ridge says of one directory record (IEEE P1282).
struct RockRidge {
    /// nil: the record's own name counts.
    var name: [UInt8]?
    /// The text of a symbolic link.
    var link: [UInt8]?
    /// The block of a folder that was moved because it lay too deep.
    var child: Int64?
    /// The folder's content is shown elsewhere.
    var isRelocated = false
    /// False for devices, pipes and the like.
    var isRegular = true

    init() {}

    /// - Throws: `ArchiveError`.
    init(_ entries: [SystemUse.Entry]) throws(ArchiveError) {
        var linkParts: [UInt8] = []
        var isLink = false
        var joinsNext = false
        for entry in entries {
            let data = Array(entry.data)
            switch entry.signature {
            case "NM":
                // Flags 2 and 4 are the folder itself and its parent.
                guard let flags = data.first, flags & 0x06 == 0 else { continue }
                name = (name ?? []) + data.dropFirst()
            case "PX":
                guard data.count >= 8, let mode = ISO9660Walker.both32(data[0..<8]) else {
                    throw ArchiveError(.damaged, "an entry's mode contradicts itself")
                }
                let kind = mode & 0xf000
                isRegular = [0x8000, 0x4000, 0xa000, 0].contains(kind)
            case "SL":
                isLink = true
                try Self.readLink(data, &linkParts, &joinsNext)
            case "CL":
                guard data.count >= 8, let block = ISO9660Walker.both32(data[0..<8]) else {
                    throw ArchiveError(.damaged, "a relocated folder makes no sense")
                }
                child = Int64(block)
            case "RE": isRelocated = true
            case "ZF":
                throw ArchiveError(.unsupported, "its files are compressed with zisofs: unpack the archive")
            case "SF": throw ArchiveError(.unsupported, "it has sparse files: unpack the archive")
            default: continue
            }
        }
        if isLink { link = linkParts }
    }

    /// Components: a flag, a length, a text (section 4.1.3.1).
    private static func readLink(_ data: [UInt8], _ link: inout [UInt8], _ joinsNext: inout Bool) throws(ArchiveError) {
        var rest = data.dropFirst()
        while !rest.isEmpty {
            let start = rest.startIndex
            guard rest.count >= 2, 2 + Int(rest[start + 1]) <= rest.count, link.count <= 4096 else {
                throw ArchiveError(.damaged, "a symbolic link is damaged")
            }
            let flags = rest[start]
            let text = rest[(start + 2)..<(start + 2 + Int(rest[start + 1]))]
            rest = rest.dropFirst(2 + text.count)
            if !link.isEmpty, !joinsNext, link != [UInt8(ascii: "/")] { link.append(UInt8(ascii: "/")) }
            switch flags & 0x0e {
            case 0: link += text
            case 0x02: link += Array(".".utf8)
            case 0x04: link += Array("..".utf8)
            case 0x08: link = [UInt8(ascii: "/")]
            default: throw ArchiveError(.unsupported, "a symbolic link has parts of an unknown kind")
            }
            joinsNext = flags & 0x01 != 0
        }
    }
}
