/// An IPv4 address in dotted decimal.
package struct IPv4Address: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// In host byte order: 10.0.0.1 is 0x0a000001.
    package let value: UInt32

    package init(value: UInt32) { self.value = value }

    /// Four decimal numbers without leading zeros (which some programs read as octal); nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard part.count <= 3, part.allSatisfy({ $0.isASCII && $0.isNumber }), let octet = UInt8(part),
                String(octet) == part
            else { return nil }
            value = value << 8 | UInt32(octet)
        }
        self.value = value
    }

    package var description: String {
        "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
    }

    package static func < (lhs: IPv4Address, rhs: IPv4Address) -> Bool { lhs.value < rhs.value }
}

/// An IPv4 network in CIDR form, its host bits zero.
package struct IPv4Network: Hashable, Sendable, CustomStringConvertible {
    package let address: IPv4Address
    /// 0 to 32.
    package let prefixLength: Int

    /// nil when the form is wrong or a host bit is set (`10.0.0.1/24` is an address, not a network).
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(parts[0]), let length = Int(parts[1]),
            (0...32).contains(length), String(length) == parts[1]
        else { return nil }
        self.address = address
        prefixLength = length
        guard address.value & ~mask == 0 else { return nil }
    }

    package var mask: UInt32 { prefixLength == 0 ? 0 : UInt32.max << UInt32(32 - prefixLength) }
    /// The mask in dotted decimal.
    package var netmask: IPv4Address { IPv4Address(value: mask) }
    package var broadcast: IPv4Address { IPv4Address(value: address.value | ~mask) }

    package func contains(_ other: IPv4Address) -> Bool { other.value & mask == address.value }
    package func contains(_ other: IPv4Network) -> Bool {
        other.prefixLength >= prefixLength && contains(other.address)
    }
    package func overlaps(_ other: IPv4Network) -> Bool { contains(other.address) || other.contains(address) }

    /// The name of the reverse zone that holds this network, on the octet boundary that contains it:
    /// `99.20.10.in-addr.arpa` for 10.20.99.0/24 (RFC 1035 section 3.5). Networks within one octet boundary share it.
    package var reverseZone: String {
        let octets = address.description.split(separator: ".").prefix(max(1, prefixLength / 8))
        return octets.reversed().joined(separator: ".") + ".in-addr.arpa"
    }

    package var description: String { "\(address)/\(prefixLength)" }
}
