internal import Artifacts

/// Lists an uncompressed tar archive: ustar (POSIX.1-1988), GNU's long names, and pax headers (POSIX.1-2001).
package struct TarWalker {
    private static let block = 512
    /// Of a pax header or a long name.
    private static let maximumHeader: Int64 = 1 << 20

    private let file: ArchiveFile
    private let limits: ArchiveLimits

    package init(_ file: ArchiveFile, limits: ArchiveLimits = ArchiveLimits()) {
        self.file = file
        self.limits = limits
    }

    /// Whether the file begins as a tar archive does.
    package static func recognizes(_ file: ArchiveFile) -> Bool {
        guard let header = try? file.read(at: 0, count: block) else { return false }
        return header[257..<262].elementsEqual("ustar".utf8) && hasRightChecksum(header)
    }

    /// What headers before an entry say of it.
    private struct Override {
        var path: [UInt8]?
        var link: [UInt8]?
        var size: Int64?
    }

    /// - Throws: `ArchiveError`.
    package func list() throws(ArchiveError) -> ArchiveListing {
        var builder = ArchiveListing.Builder(size: file.size, limits: limits)
        var global = Override()
        var next = Override()
        var offset: Int64 = 0
        var metadata: Int64 = 0
        while true {
            // The end is two blocks of zeroes; some writers leave it out.
            guard offset < file.size else { break }
            let header = try file.read(at: offset, count: Self.block)
            if header.allSatisfy({ $0 == 0 }) { break }
            guard Self.hasRightChecksum(header) else {
                throw ArchiveError(.damaged, "the header at byte \(offset) has a wrong checksum")
            }
            metadata += Int64(Self.block)
            let type = header[156]
            let isSpecial = "xgLK".utf8.contains(type)
            var size = try Self.number(header[124..<136])
            if !isSpecial { size = next.size ?? global.size ?? size }
            let hasContent = isSpecial || "\0007S".utf8.contains(type) || type == 0
            let start = offset + Int64(Self.block)
            let (end, overflow) = start.addingReportingOverflow(hasContent ? (size + 511) / 512 * 512 : 0)
            guard size >= 0, !overflow else {
                throw ArchiveError(.damaged, "the size at byte \(offset) makes no sense")
            }
            offset = end
            if isSpecial {
                metadata += size
                guard size <= Self.maximumHeader, metadata <= limits.metadata else {
                    throw ArchiveError(.hostile, "its headers are larger than any real archive's")
                }
                let content = try file.read(at: start, count: Int(size))
                switch type {
                case UInt8(ascii: "L"): next.path = Self.text(content[...])
                case UInt8(ascii: "K"): next.link = Self.text(content[...])
                case UInt8(ascii: "x"): try Self.readPax(content, into: &next)
                default: try Self.readPax(content, into: &global)
                }
                try builder.countEntry()
                continue
            }
            let entry = Override(
                path: next.path ?? global.path, link: next.link ?? global.link, size: size)
            next = Override()
            try add(header, type, entry, at: start, &builder)
        }
        return try builder.finish()
    }

    private func add(
        _ header: [UInt8], _ type: UInt8, _ entry: Override, at start: Int64, _ builder: inout ArchiveListing.Builder
    ) throws(ArchiveError) {
        let name = entry.path ?? Self.name(header)
        guard let path = try Self.path(name, &builder) else { return }
        switch type {
        case 0 where name.last == UInt8(ascii: "/"): try builder.addFolder(path)
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
            try builder.addFile(path, ArchiveListing.Extent(offset: start, size: entry.size ?? 0))
        case UInt8(ascii: "5"): try builder.addFolder(path)
        case UInt8(ascii: "1"):
            guard let target = try Self.path(entry.link ?? Self.text(header[157..<257]), &builder) else {
                throw ArchiveError(.damaged, "'\(path)' is another name of nothing")
            }
            try builder.addHardLink(path, to: target)
        case UInt8(ascii: "2"): try builder.addLink(path, text: entry.link ?? Self.text(header[157..<257]))
        // Devices and pipes are nothing that can be served.
        case UInt8(ascii: "3"), UInt8(ascii: "4"), UInt8(ascii: "6"): try builder.countEntry()
        case UInt8(ascii: "S"):
            throw ArchiveError(.unsupported, "'\(path)' is a sparse file: pack without --sparse, or unpack the archive")
        default:
            throw ArchiveError(
                .unsupported, "'\(path)' is of the unknown type '\(String(UnicodeScalar(type)))': unpack the archive")
        }
    }

    /// nil for the root itself.
    private static func path(_ name: [UInt8], _ builder: inout ArchiveListing.Builder) throws(ArchiveError)
        -> ArtifactPath?
    {
        guard name.first != UInt8(ascii: "/") else {
            throw ArchiveError(
                .hostile,
                "'\(String(decoding: name.prefix(120), as: UTF8.self))' begins with a slash: it leads out of the archive"
            )
        }
        let components = name.split(separator: UInt8(ascii: "/")).map { Array($0) }.filter { $0 != Array(".".utf8) }
        return components.isEmpty ? nil : try builder.path(components)
    }

    /// The name of ustar: a prefix, where the magic says that there may be one.
    private static func name(_ header: [UInt8]) -> [UInt8] {
        let name = text(header[0..<100])
        // GNU's older form has other things there.
        guard header[257..<263].elementsEqual("ustar\0".utf8) else { return name }
        let prefix = text(header[345..<500])
        return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> [UInt8] { Array(bytes.prefix { $0 != 0 }) }

    /// Octal digits, or GNU's base 256 where the first bit is set.
    private static func number(_ bytes: ArraySlice<UInt8>) throws(ArchiveError) -> Int64 {
        if let first = bytes.first, first & 0x80 != 0 {
            var value: Int64 = Int64(first & 0x3f)
            guard first & 0x40 == 0 else { throw ArchiveError(.damaged, "a size is negative") }
            for byte in bytes.dropFirst() {
                guard value < 1 << 54 else { throw ArchiveError(.damaged, "a size is larger than any file") }
                value = value << 8 | Int64(byte)
            }
            return value
        }
        let digits = bytes.drop { $0 == UInt8(ascii: " ") }.prefix {
            (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0)
        }
        let rest = bytes.drop { $0 == UInt8(ascii: " ") }.dropFirst(digits.count)
        guard rest.allSatisfy({ $0 == 0 || $0 == UInt8(ascii: " ") }) else {
            throw ArchiveError(.damaged, "a number in a header is not octal")
        }
        return digits.reduce(0) { $0 << 3 | Int64($1 - UInt8(ascii: "0")) }
    }

    /// The sum of the header's bytes, with blanks in the place of the sum; some writers summed signed bytes.
    private static func hasRightChecksum(_ header: [UInt8]) -> Bool {
        guard let stored = try? number(header[148..<156]) else { return false }
        var unsigned: Int64 = 0
        var signed: Int64 = 0
        for (index, byte) in header.enumerated() {
            let byte = (148..<156).contains(index) ? UInt8(ascii: " ") : byte
            unsigned += Int64(byte)
            signed += Int64(Int8(bitPattern: byte))
        }
        return stored == unsigned || stored == signed
    }

    /// Records `LENGTH KEY=VALUE\n`; the length counts itself.
    private static func readPax(_ content: [UInt8], into override: inout Override) throws(ArchiveError) {
        var rest = content[...]
        while !rest.isEmpty, rest.first != 0 {
            guard let blank = rest.prefix(20).firstIndex(of: UInt8(ascii: " ")),
                let length = Int(String(decoding: rest[..<blank], as: UTF8.self)), length > blank - rest.startIndex + 1,
                length <= rest.count
            else { throw ArchiveError(.damaged, "a pax header is damaged") }
            let record = rest[rest.index(after: blank)..<rest.index(rest.startIndex, offsetBy: length)]
            rest = rest.dropFirst(length)
            guard record.last == UInt8(ascii: "\n"), let mark = record.firstIndex(of: UInt8(ascii: "=")) else {
                throw ArchiveError(.damaged, "a pax header is damaged")
            }
            let key = String(decoding: record[..<mark], as: UTF8.self)
            let value = Array(record[record.index(after: mark)...].dropLast())
            switch key {
            case "path": override.path = value
            case "linkpath": override.link = value
            case "size":
                guard let size = Int64(String(decoding: value, as: UTF8.self)), size >= 0 else {
                    throw ArchiveError(.damaged, "a pax header has no size that makes sense")
                }
                override.size = size
            case _ where key.hasPrefix("GNU.sparse."):
                throw ArchiveError(.unsupported, "it has sparse files: pack without --sparse, or unpack the archive")
            default: continue
            }
            guard !value.contains(0) else { throw ArchiveError(.hostile, "a name in a pax header has a zero byte") }
        }
    }
}
