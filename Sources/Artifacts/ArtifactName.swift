/// The name of an artifact, a repository name of the OCI Distribution specification 1.1 ("Pulling manifests"):
/// components `[a-z0-9]+([._-]+[a-z0-9]+)*` joined by `/`, 255 characters at most.
package struct ArtifactName: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let description: String

    /// - Throws: `ArtifactError` (`invalidName`) with the rule that was broken.
    package init(_ text: some StringProtocol) throws(ArtifactError) {
        guard !text.isEmpty, text.utf8.count <= 255 else {
            throw ArtifactError(.invalidName, "artifact name '\(text.prefix(40))': 1 to 255 characters are allowed")
        }
        for component in text.split(separator: "/", omittingEmptySubsequences: false)
        where !Self.isComponent(component) {
            throw ArtifactError(
                .invalidName,
                "artifact name '\(text)': '\(component)' must be lower-case letters and digits, "
                    + "joined by '.', '_', '__' or '-'"
            )
        }
        description = String(text)
    }

    private static func isComponent(_ text: some StringProtocol) -> Bool {
        var separator = ""
        var previousWasSeparator = true  // a component may not start with a separator
        for character in text.utf8 {
            switch character {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard isSeparator(separator) else { return false }
                separator = ""
                previousWasSeparator = false
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                if previousWasSeparator && separator.isEmpty { return false }
                separator.unicodeScalars.append(Unicode.Scalar(character))
                previousWasSeparator = true
            default: return false
            }
        }
        return !previousWasSeparator
    }

    /// `.`, `_`, `__` or any number of dashes.
    private static func isSeparator(_ text: String) -> Bool {
        text.isEmpty || text == "." || text == "_" || text == "__" || text.allSatisfy { $0 == "-" }
    }

    package static func < (lhs: ArtifactName, rhs: ArtifactName) -> Bool { lhs.description < rhs.description }
}
