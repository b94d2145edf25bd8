internal import Artifacts

/// Debian's `Packages` as a list of checksums: a paragraph for each package, with `Filename`, `Size` and `SHA256` (Debian
/// Repository Format, "Packages Indices"; deb822(5)).
enum PackageListing {
    struct Line {
        let name: ArraySlice<UInt8>
        let hash: SignedContent.Hash
        let digits: String
        let size: Int64?
    }

    /// Whether a list is one: its first field is a package's name.
    static func isOne(_ bytes: [UInt8]) -> Bool {
        bytes.drop { $0 == UInt8(ascii: "\n") }.starts(with: Array("Package: ".utf8))
    }

    /// Calls `body` with each checksum of each file. Weaker ones are read past.
    /// - Throws: `TrustError` (`invalidChecksums`) when a paragraph has a field twice, or a checksum without a file.
    static func read(
        _ bytes: [UInt8], _ body: (Line) throws(TrustError) -> Void
    ) throws(TrustError) {
        var fields: [Int: Range<Int>] = [:]
        var start = bytes.startIndex
        var number = 0
        while start <= bytes.endIndex {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
            number += 1
            if start == end || bytes[start] == UInt8(ascii: "\r") && end == start + 1 {
                try finish(bytes, &fields, number, body)
            } else if let (field, value) = field(bytes, start..<end) {
                guard fields.updateValue(value, forKey: field) == nil else {
                    throw TrustError(.invalidChecksums, "line \(number): '\(names[field].text)' is there twice")
                }
            }
            start = end + 1
        }
        try finish(bytes, &fields, number, body)
    }

    private static let filename = 0
    private static let size = 1
    private static let names: [(text: String, bytes: [UInt8], hash: SignedContent.Hash?)] = [
        ("Filename", nil), ("Size", nil), ("SHA256", SignedContent.Hash.sha256), ("SHA384", .sha384),
        ("SHA512", .sha512),
    ].map { ($0.0, Array("\($0.0.lowercased()):".utf8), $0.1) }

    /// A field that counts, and where its value is; names of fields have no case.
    private static func field(_ bytes: [UInt8], _ line: Range<Int>) -> (Int, Range<Int>)? {
        // Most lines are none: the first letter tells.
        guard [UInt8(ascii: "f"), UInt8(ascii: "s")].contains(bytes[line.lowerBound] | 0x20) else { return nil }
        for (index, name) in names.enumerated() {
            let end = line.lowerBound + name.bytes.count
            guard end <= line.upperBound else { continue }
            let isThis = name.bytes.indices.allSatisfy { place in
                let byte = bytes[line.lowerBound + place]
                return byte == name.bytes[place] || byte | 0x20 == name.bytes[place] && byte >= UInt8(ascii: "A")
            }
            guard isThis else { continue }
            var value = end..<line.upperBound
            let isBlank = { (byte: UInt8) in [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")].contains(byte)
            }
            while let first = value.first, isBlank(bytes[first]) { value = value.dropFirst() }
            while let last = value.last, isBlank(bytes[last]) { value = value.dropLast() }
            return (index, value)
        }
        return nil
    }

    private static func finish(
        _ bytes: [UInt8], _ fields: inout [Int: Range<Int>], _ number: Int, _ body: (Line) throws(TrustError) -> Void
    ) throws(TrustError) {
        defer { fields = [:] }
        guard !fields.isEmpty else { return }
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        guard let name = fields[filename] else {
            throw TrustError(.invalidChecksums, "line \(number): a package has no 'Filename'")
        }
        var length: Int64?
        if let range = fields[size] {
            guard let value = Int64(text(range)), value >= 0 else {
                throw TrustError(.invalidChecksums, "line \(number): '\(text(range).prefix(40))' is no size")
            }
            length = value
        }
        for (index, field) in names.enumerated() {
            guard let hash = field.hash, let digits = fields[index] else { continue }
            try body(Line(name: bytes[name], hash: hash, digits: text(digits), size: length))
        }
    }
}
