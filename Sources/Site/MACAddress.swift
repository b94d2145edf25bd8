/// An Ethernet hardware address, written as six lower-case hexadecimal pairs with colons.
package struct MACAddress: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The 48 bits in the low end.
    package let value: UInt64

    /// From the 48 low bits.
    package init(value: UInt64) { self.value = value & 0xffff_ffff_ffff }

    /// The spelling that the site file requires: `aa:bb:cc:dd:ee:ff` in lower case; nil for anything else.
    package init?(canonical text: some StringProtocol) {
        guard let address = MACAddress(text), address.description == text else { return nil }
        self = address
    }

    /// Any spelling that firmware uses: colons, dashes or nothing between the pairs, either case, and PXELINUX's
    /// `01-` prefix (the ARP hardware type). nil for anything else.
    package init?(_ text: some StringProtocol) {
        var characters = Array(text.utf8)
        if characters.count == 20,
            characters.starts(with: Array("01-".utf8)) || characters.starts(with: Array("01:".utf8))
        {
            characters.removeFirst(3)
        }
        let separators: Set<UInt8> = [UInt8(ascii: ":"), UInt8(ascii: "-")]
        if characters.count == 17 {
            let separator = characters[2]
            guard separators.contains(separator) else { return nil }
            for index in stride(from: 14, through: 2, by: -3) {
                guard characters[index] == separator else { return nil }
                characters.remove(at: index)
            }
        }
        guard characters.count == 12 else { return nil }
        var value: UInt64 = 0
        for character in characters {
            guard let digit = Character(Unicode.Scalar(character)).hexDigitValue else { return nil }
            value = value << 4 | UInt64(digit)
        }
        self.value = value
    }

    /// The group bit is set: no machine's own address.
    package var isMulticast: Bool { value >> 40 & 1 == 1 }

    package var description: String { text(separator: ":") }

    /// `aa-bb-cc-dd-ee-ff`, as iPXE's `:hexhyp` writes it.
    package var dashed: String { text(separator: "-") }

    private func text(separator: String) -> String {
        stride(from: 40, through: 0, by: -8).map { shift in
            let pair = String(value >> UInt64(shift) & 0xff, radix: 16)
            return pair.count == 1 ? "0" + pair : pair
        }.joined(separator: separator)
    }

    package static func < (lhs: MACAddress, rhs: MACAddress) -> Bool { lhs.value < rhs.value }
}
