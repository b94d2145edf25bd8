internal import FoundationEssentials

/// Base64 (RFC 4648 section 4) as keys and signatures are written in.
enum Base64 {
    /// Line ends are skipped, since armour is wrapped; nil for any other character that does not belong there.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let joined = text.filter { !$0.isNewline }.trimmingPrefix { $0 == " " }
        guard !joined.isEmpty, let data = Data(base64Encoded: String(joined)) else { return nil }
        return Array(data)
    }

    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}
