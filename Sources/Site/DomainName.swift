/// A lower-case DNS name: labels of letters, digits and inner dashes (RFC 1123 section 2.1), 63 characters each and
/// 253 in all.
package struct DomainName: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let description: String

    /// nil when a label breaks the rule.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 253,
            text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ Self.isLabel($0) })
        else { return nil }
        description = String(text)
    }

    /// One label: what host, service, segment and interface names must be.
    package static func isLabel(_ text: some StringProtocol) -> Bool {
        let characters = Array(text.utf8)
        guard (1...63).contains(characters.count), characters.first != UInt8(ascii: "-"),
            characters.last != UInt8(ascii: "-")
        else { return false }
        return characters.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || $0 == UInt8(ascii: "-")
        }
    }

    /// `label.self`. Labels come from the site file, which checked them.
    package func prefixed(_ label: String) -> DomainName { DomainName(unchecked: "\(label).\(description)") }

    /// Whether this name is `other` or below it.
    package func isWithin(_ other: DomainName) -> Bool {
        self == other || description.hasSuffix("." + other.description)
    }

    private init(unchecked text: String) { description = text }

    package static func < (lhs: DomainName, rhs: DomainName) -> Bool { lhs.description < rhs.description }
}
