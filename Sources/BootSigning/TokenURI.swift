internal import Glibc

/// Where a key on a PKCS #11 token is, as a URI (RFC 7512): `pkcs11:token=site;object=boot?module-path=...&pin-source=...`.
package struct TokenURI: Hashable, Sendable, CustomStringConvertible {
    /// The part that names token and key: `pkcs11:token=site;object=boot`.
    package let object: String
    /// The library of the token's vendor.
    package let modulePath: String
    /// A file whose first line is the PIN.
    package let pinPath: String

    /// - Throws: `BootSigningError` that names the attribute and what to write.
    package init(_ text: String) throws(BootSigningError) {
        let halves = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves[0].hasPrefix("pkcs11:"), halves[0].contains("object=") || halves[0].contains("id=") else {
            throw BootSigningError("'\(text)' names no key: write pkcs11:token=LABEL;object=LABEL?... (RFC 7512)")
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw BootSigningError("'\(text)': spaces and letters beyond ASCII are written as %XX (RFC 7512)")
        }
        var attributes: [Substring: String] = [:]
        for attribute in (halves.count > 1 ? halves[1] : "").split(separator: "&") {
            let pair = attribute.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let value = Self.decoded(pair[1]) else {
                throw BootSigningError("'\(attribute)' in the key's URI is no attribute (RFC 7512)")
            }
            guard ["module-path", "pin-source"].contains(pair[0]) else {
                throw BootSigningError(
                    pair[0] == "pin-value"
                        ? "a PIN in the key's URI is read by everybody who sees the command: write pin-source=file:/PATH"
                        : "'\(pair[0])' in the key's URI: only module-path and pin-source are known behind '?'")
            }
            guard attributes.updateValue(value, forKey: pair[0]) == nil else {
                throw BootSigningError("'\(pair[0])' is in the key's URI twice")
            }
        }
        object = String(halves[0])
        modulePath = try Self.path("module-path", attributes)
        pinPath = try Self.path("pin-source", attributes)
    }

    private static func path(_ name: Substring, _ attributes: [Substring: String]) throws(BootSigningError) -> String {
        var value = attributes[name] ?? ""
        if value.hasPrefix("file:") { value.removeFirst(5) }
        if value.hasPrefix("//") { value.removeFirst(2) }
        guard value.hasPrefix("/"), value.utf8.count <= Int(PATH_MAX) else {
            throw BootSigningError("the key's URI needs \(name)=/PATH behind '?'")
        }
        return value
    }

    /// Without its `%XX` (RFC 3986 section 2.1); nil where they are none, or make no text.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let digit = UInt8(String(decoding: digits, as: UTF8.self), radix: 16), digit > 0
            else { return nil }
            bytes.append(digit)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// As it is given to the tools: the module and the PIN have ways of their own.
    package var description: String { object }
}
