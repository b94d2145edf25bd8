/// Reads the fields of SSH's binary forms (RFC 4251 section 5).
struct SSHWireReader {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    var isAtEnd: Bool { bytes.isEmpty }

    mutating func uint32() -> UInt32? {
        guard bytes.count >= 4 else { return nil }
        let value = bytes.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        bytes = bytes.dropFirst(4)
        return value
    }

    /// `count` bytes as they are.
    mutating func raw(_ count: Int) -> [UInt8]? {
        guard bytes.count >= count else { return nil }
        let value = Array(bytes.prefix(count))
        bytes = bytes.dropFirst(count)
        return value
    }

    mutating func string() -> [UInt8]? {
        guard let count = uint32(), count <= 1 << 20 else { return nil }
        return raw(Int(count))
    }

    mutating func text() -> String? { string().flatMap { String(validating: $0, as: UTF8.self) } }

    /// A number without sign; nil for a negative one, and for one with needless zeroes.
    mutating func unsignedInteger() -> [UInt8]? {
        guard let value = string(), let first = value.first, first < 0x80 else { return nil }
        guard first == 0 else { return value }
        guard value.count > 1, value[1] >= 0x80 else { return nil }
        return Array(value.dropFirst())
    }
}

extension [UInt8] {
    /// Appends a field of SSH's binary form: its length, and itself.
    mutating func appendSSHString(_ field: some Collection<UInt8>) {
        append(contentsOf: (0..<4).map { UInt8(truncatingIfNeeded: field.count >> (24 - 8 * $0)) })
        append(contentsOf: field)
    }
}
