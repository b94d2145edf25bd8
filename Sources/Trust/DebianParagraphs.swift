/// Paragraphs of Debian's control files (deb822(5)), of which some fields are wanted: the first line of each. Names of fields
/// have no case.
package struct DebianParagraphs {
    /// One paragraph that has at least one of the fields.
    package struct Paragraph {
        /// Where it ends, from 1.
        package let line: Int
        fileprivate let bytes: [UInt8]
        fileprivate let fields: [Range<Int>?]

        /// The value of the wanted field of that number, without blanks around it; nil where it is not there.
        package subscript(field: Int) -> ArraySlice<UInt8>? { fields[field].map { bytes[$0] } }

        /// The same as text.
        package func text(_ field: Int) -> String? { self[field].map { String(decoding: $0, as: UTF8.self) } }
    }

    private let names: [(text: String, bytes: [UInt8])]
    private let firstLetters: Set<UInt8>

    /// `fields`: those that are wanted.
    package init(fields: [String]) {
        names = fields.map { ($0, Array("\($0.lowercased()):".utf8)) }
        firstLetters = Set(names.compactMap(\.bytes.first))
    }

    /// Calls `body` with each paragraph, in order.
    /// - Throws: `TrustError` (`invalidChecksums`) when a paragraph has a field twice, and what `body` throws.
    package func read(_ bytes: [UInt8], _ body: (Paragraph) throws(TrustError) -> Void) throws(TrustError) {
        let none = [Range<Int>?](repeating: nil, count: names.count)
        var fields = none
        var start = bytes.startIndex
        var line = 0
        while start <= bytes.endIndex {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
            line += 1
            if start == end || end == start + 1 && bytes[start] == UInt8(ascii: "\r") {
                if fields != none { try body(Paragraph(line: line, bytes: bytes, fields: fields)) }
                fields = none
            } else if let (field, value) = field(bytes, start..<end) {
                guard fields[field] == nil else {
                    throw TrustError(.invalidChecksums, "line \(line): '\(names[field].text)' is there twice")
                }
                fields[field] = value
            }
            start = end + 1
        }
        if fields != none { try body(Paragraph(line: line, bytes: bytes, fields: fields)) }
    }

    /// Which field a line is, and where its value lies.
    private func field(_ bytes: [UInt8], _ line: Range<Int>) -> (Int, Range<Int>)? {
        // Most lines are descriptions and other fields: the first letter tells.
        guard firstLetters.contains(Self.lowercased(bytes[line.lowerBound])) else { return nil }
        for (index, name) in names.enumerated() {
            let end = line.lowerBound + name.bytes.count
            guard end <= line.upperBound,
                zip(bytes[line.lowerBound..<end], name.bytes).allSatisfy({ Self.lowercased($0) == $1 })
            else { continue }
            var value = end..<line.upperBound
            while let first = value.first, Self.isBlank(bytes[first]) { value = value.dropFirst() }
            while let last = value.last, Self.isBlank(bytes[last]) { value = value.dropLast() }
            return (index, value)
        }
        return nil
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }
}
