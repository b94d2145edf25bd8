/// The text between two lines of dashes (RFC 7468 section 2), as bytes.
enum PEMBlock {
    /// nil unless the text holds exactly one whole block of the label, and nothing else.
    static func decode(_ text: some StringProtocol, label: String) -> [UInt8]? {
        let lines = Lines.split(text).map { $0.trimmingSuffix { $0 == " " || $0 == "\t" } }.filter { !$0.isEmpty }
        guard lines.count > 2, lines.first == "-----BEGIN \(label)-----", lines.last == "-----END \(label)-----" else {
            return nil
        }
        return Base64.decode(lines.dropFirst().dropLast().joined())
    }
}

extension StringProtocol {
    func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> String {
        var text = String(self)
        while let last = text.last, isTrimmed(last) { text.removeLast() }
        return text
    }
}
