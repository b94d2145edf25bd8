/// The path of a file inside an artifact: relative, `/` between components, at most 1,024 bytes. It can never lead
/// out of a folder: no empty, `.` or `..` component, no leading slash, no control character, no backslash. All of this
/// is said of bytes, as kernels read paths: Swift sees no slash where a combining mark follows one.
package struct ArtifactPath: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let description: String

    /// - Throws: `ArtifactError` (`invalidPath`) with the rule that was broken.
    package init(_ text: some StringProtocol) throws(ArtifactError) {
        func refuse(_ rule: String) -> ArtifactError {
            let shown = text.unicodeScalars.prefix(120).map { $0.value < 32 || $0.value == 127 ? "?" : String($0) }
                .joined()
            return ArtifactError(.invalidPath, "path '\(shown)': \(rule)")
        }
        guard !text.isEmpty else { throw refuse("it is empty") }
        guard text.utf8.count <= 1024 else { throw refuse("it is longer than 1024 bytes") }
        guard text.utf8.first != UInt8(ascii: "/") else { throw refuse("it must be relative: drop the leading '/'") }
        guard text.utf8.allSatisfy({ $0 >= 32 && $0 != 127 && $0 != UInt8(ascii: "\\") }) else {
            throw refuse("control characters and backslashes are not allowed")
        }
        for component in text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            let component = String(decoding: component, as: UTF8.self)
            switch component {
            case "": throw refuse("empty components ('//' or a trailing '/') are not allowed")
            case ".", "..": throw refuse("'\(component)' is not allowed: name the file directly")
            default: continue
            }
        }
        description = String(text)
    }

    /// A path whose text has been through the other initializer before.
    init(checked text: String) { description = text }

    /// The last component.
    package var fileName: Substring {
        Substring(description.utf8.split(separator: UInt8(ascii: "/")).last ?? description.utf8[...])
    }

    package static func == (lhs: ArtifactPath, rhs: ArtifactPath) -> Bool {
        lhs.description.utf8.elementsEqual(rhs.description.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        for byte in description.utf8 { hasher.combine(byte) }
    }

    /// In the order of their bytes.
    package static func < (lhs: ArtifactPath, rhs: ArtifactPath) -> Bool {
        lhs.description.utf8.lexicographicallyPrecedes(rhs.description.utf8)
    }
}
