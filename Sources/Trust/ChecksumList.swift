package import Artifacts

/// A list of checksums as upstreams publish them: `HASH  NAME` and `HASH *NAME` (GNU coreutils), `SHA256 (NAME) = HASH`
/// (BSD), the indexes of a Debian `Release` file, and Debian's `Packages`.
///
/// What is not safe to read two ways is refused: a name with two different hashes of one kind, and a name that leads out
/// of the folder. MD5 and SHA-1 are read past: they never vouch for anything.
package struct ChecksumList: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        /// Hexadecimal, lower case, by hash.
        package var hashes: [SignedContent.Hash: String] = [:]
        /// Bytes, where the list says it.
        package var size: Int64?
    }

    /// Larger lists are refused.
    package static let maximumSize = 64 << 20

    /// By name, without `./` before it.
    package private(set) var entries: [ArtifactPath: Entry] = [:]
    /// Names by their last component.
    private var namesakes: [ArtifactPath: [ArtifactPath]] = [:]

    /// - Throws: `TrustError` (`invalidChecksums`).
    package init(_ bytes: [UInt8]) throws(TrustError) {
        guard bytes.count <= Self.maximumSize else {
            throw TrustError(.invalidChecksums, "the list has \(bytes.count) bytes; \(Self.maximumSize) are the most")
        }
        var hasWeak = false
        if PackageListing.isOne(bytes) {
            try PackageListing.read(bytes) { line throws(TrustError) in
                try insert(line.name, line.hash, line.digits, size: line.size)
            }
            hasWeak = true
        } else {
            try readLines(bytes, &hasWeak)
        }
        guard !entries.isEmpty else {
            throw TrustError(
                .invalidChecksums,
                hasWeak
                    ? "the list has MD5 or SHA-1 only, which are broken: SHA-256 or SHA-512 is needed"
                    : "the list has no line 'HASH  NAME' or 'SHA256 (NAME) = HASH', no section 'SHA256:', and no package"
            )
        }
        for name in entries.keys.sorted() {
            if let last = try? ArtifactPath(name.fileName) { namesakes[last, default: []].append(name) }
        }
    }

    /// The entry that speaks of a file: the one whose name is the file's path, or ends in it, or that the path ends in,
    /// component by component. `folder` is where in the list's own tree the files come from: then only that name counts.
    /// - Throws: `TrustError` (`invalidChecksums`) when several speak of it and do not say the same.
    package func entry(for path: ArtifactPath, folder: ArtifactPath? = nil) throws(TrustError) -> Entry? {
        if let folder {
            return (try? ArtifactPath("\(folder)/\(path)")).flatMap { entries[$0] }
        }
        if let exact = entries[path] { return exact }
        guard let last = try? ArtifactPath(path.fileName) else { return nil }
        let names = (namesakes[last] ?? []).filter { $0.endsIn(path) || path.endsIn($0) }
        let found = Set(names.compactMap { entries[$0] })
        guard found.count < 2 else {
            throw TrustError(
                .invalidChecksums,
                "'\(names[0])' and '\(names[1])' could both be '\(path)': say which folder of the list the files are from"
            )
        }
        return found.first
    }

    // MARK: Lines

    private mutating func readLines(_ bytes: [UInt8], _ hasWeak: inout Bool) throws(TrustError) {
        var section: String?
        // Bytes, as the tools read them: what Swift takes for one character or one line may be two of theirs.
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            do throws(TrustError) {
                if line.first == UInt8(ascii: " "), let name = section {
                    try readIndexed(line, name, &hasWeak)
                } else if let key = Self.sectionName(line) {
                    section = key
                } else {
                    section = nil
                    try read(line, &hasWeak)
                }
            } catch {
                throw TrustError(.invalidChecksums, "line \(index + 1): \(error.message)")
            }
        }
    }

    /// `SHA256:` and nothing after it: the lines below it that begin with a blank are entries.
    private static func sectionName(_ line: ArraySlice<UInt8>) -> String? {
        guard line.last == UInt8(ascii: ":"), line.count < 32 else { return nil }
        return String(decoding: line.dropLast(), as: UTF8.self).uppercased()
    }

    /// ` HASH SIZE PATH` (deb822, the `Release` file).
    private mutating func readIndexed(_ line: ArraySlice<UInt8>, _ section: String, _ hasWeak: inout Bool)
        throws(TrustError)
    {
        let words = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 3, let size = Int64(words[1]), size >= 0 else { return }
        guard let hash = Self.hashes[section] else {
            hasWeak = hasWeak || Self.weak.contains(section)
            return
        }
        try insert(Array(words[2].utf8)[...], hash, words[0], size: size)
    }

    private mutating func read(_ line: ArraySlice<UInt8>, _ hasWeak: inout Bool) throws(TrustError) {
        guard let first = line.first, first != UInt8(ascii: "#") else { return }
        if let open = line.firstRange(of: Array(" (".utf8)), let close = line.lastRange(of: Array(") = ".utf8)),
            open.upperBound <= close.lowerBound
        {
            let kind = String(decoding: line[..<open.lowerBound], as: UTF8.self).uppercased()
            guard let hash = Self.hashes[kind] else {
                hasWeak = hasWeak || Self.weak.contains(kind)
                return
            }
            let digits = String(decoding: line[close.upperBound...], as: UTF8.self)
            return try insert(line[open.upperBound..<close.lowerBound], hash, digits, size: nil)
        }
        guard let blank = line.firstIndex(of: UInt8(ascii: " ")) else { return }
        let digits = line[..<blank]
        guard digits.count >= 32, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return }
        // A second character tells text from binary: a blank or an asterisk (sha256sum(1)).
        let rest = line[line.index(after: blank)...]
        guard let mark = rest.first, [UInt8(ascii: " "), UInt8(ascii: "*")].contains(mark) else { return }
        guard let hash = [64: SignedContent.Hash.sha256, 96: .sha384, 128: .sha512][digits.count] else {
            hasWeak = hasWeak || [32, 40].contains(digits.count)
            return
        }
        try insert(rest.dropFirst(), hash, String(decoding: digits, as: UTF8.self), size: nil)
    }

    private static let hashes: [String: SignedContent.Hash] = [
        "SHA256": .sha256, "SHA384": .sha384, "SHA512": .sha512, "SHA-256": .sha256, "SHA-512": .sha512,
        "SHA2-256": .sha256, "SHA2-512": .sha512,
    ]
    private static let weak: Set<String> = ["MD5", "MD5SUM", "SHA1", "SHA-1"]

    private mutating func insert(
        _ bytes: ArraySlice<UInt8>, _ hash: SignedContent.Hash, _ digits: String, size: Int64?
    ) throws(TrustError) {
        var bytes = bytes
        while bytes.starts(with: Array("./".utf8)) { bytes = bytes.dropFirst(2) }
        guard let text = String(validating: bytes, as: UTF8.self), let name = try? ArtifactPath(text) else {
            throw TrustError(
                .invalidChecksums,
                "'\(String(decoding: bytes.prefix(120), as: UTF8.self))' is no path within a folder")
        }
        let digits = digits.lowercased()
        guard digits.utf8.count == hash.byteCount * 2, Hexadecimal.decode(digits) != nil else {
            throw TrustError(.invalidChecksums, "'\(digits.prefix(140))' is no \(hash.rawValue) of '\(name)'")
        }
        var entry = entries[name] ?? Entry()
        if let other = entry.hashes[hash], other != digits {
            throw TrustError(.invalidChecksums, "'\(name)' is listed twice, with two different hashes")
        }
        if let size, let other = entry.size, other != size {
            throw TrustError(.invalidChecksums, "'\(name)' is listed twice, with two different sizes")
        }
        entry.hashes[hash] = digits
        entry.size = size ?? entry.size
        entries[name] = entry
    }
}

extension ArtifactPath {
    /// Whether the last components are those of another path, and there are more before them.
    fileprivate func endsIn(_ other: ArtifactPath) -> Bool {
        let (bytes, end) = (Array(description.utf8), Array(other.description.utf8))
        return bytes.count > end.count && bytes.suffix(end.count).elementsEqual(end)
            && bytes[bytes.count - end.count - 1] == UInt8(ascii: "/")
    }
}

extension RandomAccessCollection where Element: Equatable {
    fileprivate func firstRange(of part: [Element]) -> Range<Index>? {
        var start = startIndex
        while distance(from: start, to: endIndex) >= part.count {
            if self[start...].starts(with: part) { return start..<index(start, offsetBy: part.count) }
            start = index(after: start)
        }
        return nil
    }

    fileprivate func lastRange(of part: [Element]) -> Range<Index>? {
        guard count >= part.count else { return nil }
        var start = index(endIndex, offsetBy: -part.count)
        while true {
            if self[start...].starts(with: part) { return start..<index(start, offsetBy: part.count) }
            guard start > startIndex else { return nil }
            start = index(before: start)
        }
    }
}
