/// A tag: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}` (OCI Distribution specification 1.1, "Pulling manifests").
package struct Tag: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let description: String

    /// - Throws: `ArtifactError` (`invalidTag`).
    package init(_ text: some StringProtocol) throws(ArtifactError) {
        let characters = Array(text.utf8)
        let valid = characters.enumerated().allSatisfy { index, character in
            switch character {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            case UInt8(ascii: "."), UInt8(ascii: "-"): index > 0
            default: false
            }
        }
        guard valid, (1...128).contains(characters.count) else {
            throw ArtifactError(
                .invalidTag,
                "tag '\(text.prefix(140))': 1 to 128 letters, digits, '_', '.' or '-' are allowed, "
                    + "the first not '.' or '-'"
            )
        }
        description = String(text)
    }

    package static func < (lhs: Tag, rhs: Tag) -> Bool { lhs.description < rhs.description }
}
