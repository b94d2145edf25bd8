/// Paths and queries of requests, decoded once and strictly.
package enum URLPath {
    /// The components of a request target's path: percent-decoded, empty ones and `.` dropped (firmware writes `//`).
    /// nil for `..`, control characters, a bad escape or bytes that are not UTF-8.
    package static func components(_ path: some StringProtocol) -> [String]? {
        var components: [String] = []
        // By bytes: as characters, a slash and a combining mark after it are one, and not equal to a slash.
        for part in path.utf8.split(separator: UInt8(ascii: "/")) {
            guard let component = decode(part), !component.utf8.contains(UInt8(ascii: "/")), component != ".." else {
                return nil
            }
            if component != "." { components.append(component) }
        }
        return components
    }

    /// The fields of a query; the first of a repeated name counts. Undecodable fields are left out.
    package static func query(_ text: some StringProtocol) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in text.utf8.split(separator: UInt8(ascii: "&")).prefix(64) {
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            guard let name = decode(pair[..<equals]), let value = decode(pair[equals...].dropFirst()) else { continue }
            if fields[name] == nil { fields[name] = value }
        }
        return fields
    }

    /// A component as it is written in a link: all but what is always plain (RFC 3986 section 2.3), and `:`, `@`, `+`, is escaped.
    static func encode(_ component: String) -> String {
        var text = ""
        for byte in component.utf8 {
            let scalar = Unicode.Scalar(byte)
            if byte < 0x80, scalar.properties.isAlphabetic || "0123456789-._~:@+".unicodeScalars.contains(scalar) {
                text.unicodeScalars.append(scalar)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                text += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return text
    }

    /// RFC 3986 section 2.1. `+` stays: it is a space only in forms, and occurs in version numbers.
    private static func decode(_ text: some Sequence<UInt8>) -> String? {
        var bytes: [UInt8] = []
        var iterator = text.makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = iterator.next(), let low = iterator.next(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16), high != UInt8(ascii: "+")
            else { return nil }
            bytes.append(value)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self),
            bytes.allSatisfy({ $0 >= 32 && $0 != 127 })
        else { return nil }
        return decoded
    }
}
