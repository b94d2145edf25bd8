internal import FoundationEssentials

/// Lines of keys and signatures. Swift takes more than these two ends for one, and the tools do not.
enum Lines {
    static func split(_ text: some StringProtocol) -> [String] {
        text.split(
            omittingEmptySubsequences: false,
            whereSeparator: { (character: Character) in
                character == "\n" || character == "\r\n"
            }
        ).map { String($0) }
    }
}

/// Base64 (RFC 4648 section 4) as keys and signatures are written in.
enum Base64 {
    /// Line ends are skipped, since armour is wrapped; nil for any other character that does not belong there, and for bits
    /// in the last one that say nothing: one value has one spelling.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let joined = String(text.filter { !["\n", "\r", "\r\n"].contains($0) })
        guard !joined.isEmpty, let data = Data(base64Encoded: joined), data.base64EncodedString() == joined else {
            return nil
        }
        return Array(data)
    }

    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}
