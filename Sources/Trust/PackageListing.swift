internal import Artifacts

/// Debian's `Packages` as a list of checksums: a paragraph for each package, with `Filename`, `Size` and `SHA256` (Debian
/// Repository Format, "Packages Indices").
enum PackageListing {
    struct Line {
        let name: ArraySlice<UInt8>
        let hash: SignedContent.Hash
        let digits: String
        let size: Int64?
    }

    private static let hashes: [SignedContent.Hash] = [.sha256, .sha384, .sha512]
    private static let paragraphs = DebianParagraphs(
        fields: ["Filename", "Size"] + hashes.map { $0.rawValue.uppercased() })

    /// Whether a list is one: its first field is a package's name.
    static func isOne(_ bytes: [UInt8]) -> Bool {
        bytes.drop { $0 == UInt8(ascii: "\n") }.starts(with: Array("Package: ".utf8))
    }

    /// Calls `body` with each checksum of each file. Weaker ones are read past.
    /// - Throws: `TrustError` (`invalidChecksums`) when a paragraph has a field twice, or a checksum without a file.
    static func read(_ bytes: [UInt8], _ body: (Line) throws(TrustError) -> Void) throws(TrustError) {
        try paragraphs.read(bytes) { paragraph throws(TrustError) in
            guard let name = paragraph[0] else {
                throw TrustError(.invalidChecksums, "line \(paragraph.line): a package has no 'Filename'")
            }
            var size: Int64?
            if let text = paragraph.text(1) {
                guard let value = Int64(text), value >= 0 else {
                    throw TrustError(
                        .invalidChecksums, "line \(paragraph.line): '\(text.prefix(40))' is no size")
                }
                size = value
            }
            for (index, hash) in hashes.enumerated() {
                guard let digits = paragraph.text(2 + index) else { continue }
                try body(Line(name: name, hash: hash, digits: digits, size: size))
            }
        }
    }
}
