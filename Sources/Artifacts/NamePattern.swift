/// Which artifact names are meant: one name, a prefix that ends in `/*`, or `*` for all. The one form for scopes of tokens,
/// rules of retention and quotas; in documents it is its text.
package struct NamePattern: Hashable, Sendable, CustomStringConvertible, Codable {
    /// What a text must be.
    package static let forms = "one name, a prefix that ends in /*, or *"

    /// All names.
    package static let all = NamePattern(valid: "*")

    package let description: String

    private init(valid text: String) { description = text }

    /// nil for a text of none of the three forms.
    package init?(_ text: String) {
        let stem = text.hasSuffix("/*") ? String(text.dropLast(2)) : text
        let isStem =
            !stem.isEmpty
            && stem.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "/")].contains(byte)
            }
        guard text == "*" || isStem else { return nil }
        description = text
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let pattern = NamePattern(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(Self.forms) is expected")
        }
        self = pattern
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// How much of a name the pattern says: 0 for `*`, most for the name itself; nil when it does not fit.
    package func weight(of name: String) -> Int? {
        if description == "*" { return 0 }
        if description.hasSuffix("/*") { return name.hasPrefix(description.dropLast()) ? description.utf8.count : nil }
        return name == description ? .max : nil
    }
}
